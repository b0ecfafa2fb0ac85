/** Reading certificates: whom one names, when to renew it, and what the API shows of its issuer. */
import { X509Certificate } from "node:crypto";
import type { NodeRole } from "../../api/index.js";
import { ApiError, invariant } from "../../base/index.js";
import { ROLE_UNIT } from "./issue.js";

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
  const lines = certificate.subject.split("\n");
  const field = (name: string): string =>
    lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
  const unit = field("OU");
  const role = (["manager", "worker"] as const).find((each) => ROLE_UNIT[each] === unit);
  const nodeId = field("CN");
  const clusterId = field("O");
  if (role === undefined || nodeId === "" || clusterId === "") {
    throw new ApiError(
      "InvalidArgument",
      `certificate "${lines.join(", ")}" is not a node certificate of a swarm`,
    );
  }
  return { nodeId, clusterId, role, ...lifetimeOf(certificate) };
}

/** Whether the root (or one of a bundle of roots) signed the certificate and it is valid at `nowMs` (Unix). */
export function isSignedBy(certificatePem: string, rootBundlePem: string, nowMs: number): boolean {
  const certificate = readCertificate(certificatePem);
  const { notBeforeMs, notAfterMs } = lifetimeOf(certificate);
  if (nowMs < notBeforeMs || nowMs > notAfterMs) return false;
  return splitBundle(rootBundlePem).some((root) =>
    certificate.verify(readCertificate(root).publicKey),
  );
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
    CertIssuerSubject: subjectDer(root.raw).toString("base64"),
    CertIssuerPublicKey: root.publicKey.export({ format: "der", type: "spki" }).toString("base64"),
  };
}

function lifetimeOf(
  certificate: X509Certificate,
): Pick<CertificateInfo, "notBeforeMs" | "notAfterMs"> {
  return {
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
  };
}

function splitBundle(bundlePem: string): readonly string[] {
  return bundlePem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function readCertificate(certificatePem: string): X509Certificate {
  try {
    return new X509Certificate(certificatePem);
  } catch (cause) {
    throw new ApiError("InvalidArgument", "certificate cannot be read", { cause });
  }
}

/**
 * The subject's bytes, which Node shows as text only. RFC 5280 §4.1: Certificate ::= SEQUENCE { tbs SEQUENCE { [0] version,
 * serial, signature, issuer, validity, subject, … } … }; the certificate was parsed before, so its form is known.
 */
function subjectDer(certificate: Buffer): Buffer {
  const SUBJECT_PLACE = 5;
  const tbs = readElement(certificate, readElement(certificate, 0).contentAt);
  let at = tbs.contentAt;
  for (let place = 0; place < SUBJECT_PLACE; place += 1) at = readElement(certificate, at).endsAt;
  return certificate.subarray(at, readElement(certificate, at).endsAt);
}

/** One DER element at `at`: where its content begins and where it ends. */
function readElement(
  der: Buffer,
  at: number,
): { readonly contentAt: number; readonly endsAt: number } {
  const first = der.readUInt8(at + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  invariant(lengthBytes <= 4, "DER length of a certificate");
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes);
  const contentAt = at + 2 + lengthBytes;
  return { contentAt, endsAt: contentAt + length };
}
