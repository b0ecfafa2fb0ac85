/** Which of an index's images suits this node. Names are Go's. */
export type Platform = {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
};

const GO_ARCH: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };

/** `nodeArch`: as in process.arch. */
export function platformOf(nodeArch: string): Platform {
  const architecture = GO_ARCH[nodeArch] ?? nodeArch;
  if (architecture === "arm64") return { os: "linux", architecture, variant: "v8" };
  if (architecture === "arm") return { os: "linux", architecture, variant: "v7" };
  return { os: "linux", architecture };
}

/** The best entry for `want`, or undefined. Older ARM variants run on newer processors, never the other way round. */
export function choosePlatform<T extends { readonly platform: Platform | undefined }>(
  entries: readonly T[],
  want: Platform,
): T | undefined {
  const ranked = entries.flatMap((entry) => {
    const rank = rankPlatform(entry.platform, want);
    return rank === undefined ? [] : [{ entry, rank }];
  });
  ranked.sort((a, b) => a.rank - b.rank);
  return ranked[0]?.entry;
}

/** 0 = exact; larger = older variant; undefined = does not run here. */
function rankPlatform(offered: Platform | undefined, want: Platform): number | undefined {
  if (offered === undefined) return undefined;
  if (offered.os !== want.os || offered.architecture !== want.architecture) return undefined;
  if (want.variant === undefined)
    return offered.variant === undefined ? 0 : undefinedIfNewer(offered);
  const [offer, have] = [variantNumber(offered.variant, want), variantNumber(want.variant, want)];
  return offer > have ? undefined : have - offer;
}

/** amd64/v2 and later need processor features that we do not probe; v1 is plain amd64. */
function undefinedIfNewer(offered: Platform): number | undefined {
  return offered.variant === "v1" ? 0 : undefined;
}

function variantNumber(variant: string | undefined, want: Platform): number {
  if (variant === undefined) return want.architecture === "arm64" ? 8 : 7;
  const number = Number(variant.replace(/^v/, ""));
  return Number.isInteger(number) ? number : Number.MAX_SAFE_INTEGER;
}
