import "reflect-metadata";
import { X509Certificate } from "@peculiar/x509";

export type TlsInfo = {
  /** PEM. */
  readonly TrustRoot: string;
  /** Base64 of the DER. */
  readonly CertIssuerSubject: string;
  readonly CertIssuerPublicKey: string;
};

/** The last one made: a cluster has one root, and every node of a listing shows it. */
let last: TlsInfo | undefined;

/** What clients compare to see whether a node trusts the cluster's current root. */
export function tlsInfo(rootCertPem: string): TlsInfo {
  if (last?.TrustRoot === rootCertPem) return last;
  const certificate = new X509Certificate(rootCertPem);
  last = {
    TrustRoot: rootCertPem,
    CertIssuerSubject: Buffer.from(certificate.subjectName.toArrayBuffer()).toString("base64"),
    CertIssuerPublicKey: Buffer.from(certificate.publicKey.rawData).toString("base64"),
  };
  return last;
}
