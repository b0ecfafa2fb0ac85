/** VXLAN network ids of overlay networks (RFC 7348: 24 bits). Below 4096 is left to people and switches, as Docker does. */

export const VNI_MIN = 4096;
export const VNI_MAX = 16_777_215;
/** Network option that fixes the id. */
export const VNI_OPTION = "com.docker.network.driver.overlay.vxlanid_list";

export type WantedVni =
  | { readonly kind: "any" }
  | { readonly kind: "fixed"; readonly vni: number }
  | { readonly kind: "bad"; readonly reason: string };

/** What the option's text asks for. One network is one VXLAN segment here, so the list has one element. */
export function wantedVni(option: string | undefined): WantedVni {
  if (option === undefined || option === "") return { kind: "any" };
  const vni = /^\d{1,8}$/.test(option) ? Number(option) : 0;
  return vni >= VNI_MIN && vni <= VNI_MAX
    ? { kind: "fixed", vni }
    : {
        kind: "bad",
        reason: `${VNI_OPTION}: "${option}" is not one number from ${VNI_MIN} to ${VNI_MAX}`,
      };
}

/**
 * The next free id after `after`, wrapping around once; undefined when all are in use. Going on from the last one instead of the lowest
 * free one keeps the id of a network that nodes are still taking down from coming back at once.
 */
export function nextVni(isFree: (vni: number) => boolean, after: number): number | undefined {
  const count = VNI_MAX - VNI_MIN + 1;
  const start = after < VNI_MIN || after >= VNI_MAX ? VNI_MIN : after + 1;
  for (let i = 0; i < count; i++) {
    const vni = VNI_MIN + ((start - VNI_MIN + i) % count);
    if (isFree(vni)) return vni;
  }
  return undefined;
}
