/** Reading certificates: whom one names, when to renew it, and what the API shows of its issuer. */
import type { NodeRole } from "../../api/index.js";
import { ApiError } from "../../base/index.js";
import { ROLE_UNIT } from "./issue.js";
import { x509 } from "./x509.js";

export type CertificateInfo = {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly role: NodeRole;
  /** Unix ms. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
};

/** Whom a node certificate names. Throws ApiError InvalidArgument when it is none of ours. Checks no signature. */
export function parseCertificate(certificatePem: string): CertificateInfo {
  const certificate = readCertificate(certificatePem);
  const field = (name: string): string => certificate.subjectName.getField(name)[0] ?? "";
  const unit = field("OU");
  const role = (["manager", "worker"] as const).find((each) => ROLE_UNIT[each] === unit);
  const nodeId = field("CN");
  const clusterId = field("O");
  if (role === undefined || nodeId === "" || clusterId === "") {
    throw new ApiError(
      "InvalidArgument",
      `certificate "${certificate.subject}" is not a node certificate of a swarm`,
    );
  }
  return {
    nodeId,
    clusterId,
    role,
    notBeforeMs: certificate.notBefore.getTime(),
    notAfterMs: certificate.notAfter.getTime(),
  };
}

/** Whether the root (or one of a bundle of roots) signed the certificate and it is valid at `nowMs` (Unix). */
export async function isSignedBy(
  certificatePem: string,
  rootBundlePem: string,
  nowMs: number,
): Promise<boolean> {
  const certificate = readCertificate(certificatePem);
  for (const root of splitBundle(rootBundlePem)) {
    const publicKey = readCertificate(root).publicKey;
    if (await certificate.verify({ publicKey, date: new Date(nowMs) })) return true;
  }
  return false;
}

/** When to renew: at a random point of 50–80 % of the lifetime (spec §5.3). `chance` in [0, 1); Unix ms. */
export function renewalTimeMs(
  lifetime: { readonly notBeforeMs: number; readonly notAfterMs: number },
  chance: number,
): number {
  const spanMs = lifetime.notAfterMs - lifetime.notBeforeMs;
  return lifetime.notBeforeMs + spanMs * (0.5 + 0.3 * chance);
}

/** `TLSInfo` of nodes and cluster in the Engine API: the issuer's name and key as base64 DER. */
export function tlsInfo(rootBundlePem: string): {
  readonly TrustRoot: string;
  readonly CertIssuerSubject: string;
  readonly CertIssuerPublicKey: string;
} {
  const root = readCertificate(splitBundle(rootBundlePem)[0] ?? rootBundlePem);
  return {
    TrustRoot: rootBundlePem,
    CertIssuerSubject: Buffer.from(root.subjectName.toArrayBuffer()).toString("base64"),
    CertIssuerPublicKey: Buffer.from(root.publicKey.rawData).toString("base64"),
  };
}

function splitBundle(bundlePem: string): readonly string[] {
  return bundlePem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function readCertificate(certificatePem: string): x509.X509Certificate {
  try {
    return new x509.X509Certificate(certificatePem);
  } catch (cause) {
    throw new ApiError("InvalidArgument", "certificate cannot be read", { cause });
  }
}
