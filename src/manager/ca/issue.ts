/** Making certificates: the root, a node's request, and the node certificate the root signs. Spec §5.3. */
import type { NodeRole } from "../../api/index.js";
import { ApiError, type Random } from "../../base/index.js";
import {
  exportPrivateKeyPem,
  generateKeys,
  importPrivateKeyPem,
  KEY_ALGORITHM,
  type KeyPair,
  loadX509,
  pem,
  SIGNATURE_ALGORITHM,
  type X509,
} from "./x509.js";

/** Largest certificate request taken, in bytes. A P-256 request is about 400. */
export const CSR_BYTES_MAX = 8_192;
const ROOT_COMMON_NAME = "swarm-ca";
const ROOT_LIFETIME_MS = 20 * 365 * 24 * 3_600_000;
/** Certificates are valid from an hour ago on, so that nodes with slow clocks can use them at once. */
const BACKDATE_MS = 3_600_000;
const LIFETIME_MIN_MS = 3_600_000;
const NS_PER_MS = 1_000_000;

export const ROLE_UNIT = {
  manager: "swarm-manager",
  worker: "swarm-worker",
} as const satisfies Record<NodeRole, string>;

type Request = InstanceType<X509["Pkcs10CertificateRequest"]>;
export type Root = { readonly certificatePem: string; readonly privateKeyPem: string };

/** A new self-signed root. `nowMs` is Unix time. */
export async function createRoot(nowMs: number, random: Random): Promise<Root> {
  const x509 = await loadX509();
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(random),
    name: `CN=${ROOT_COMMON_NAME}`,
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + ROOT_LIFETIME_MS),
    keys,
    signingAlgorithm: SIGNATURE_ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificatePem: pem(certificate.rawData, "CERTIFICATE"),
    privateKeyPem: await exportPrivateKeyPem(keys.privateKey),
  };
}

/** A node's new key and the request for it. The request names nobody: the cluster decides who the node is. */
export async function createCsr(): Promise<{
  readonly csrPem: string;
  readonly privateKeyPem: string;
}> {
  const keys = await generateKeys();
  return {
    csrPem: await requestFor(keys),
    privateKeyPem: await exportPrivateKeyPem(keys.privateKey),
  };
}

async function requestFor(keys: KeyPair): Promise<string> {
  const x509 = await loadX509();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: "CN=swarm-node",
    keys,
    signingAlgorithm: SIGNATURE_ALGORITHM,
  });
  return pem(request.rawData, "CERTIFICATE REQUEST");
}

/**
 * Signs a node certificate. Of the request only the public key is taken; subject, names and extensions in it are ignored.
 * Rejects with ApiError InvalidArgument when the request is too large, unreadable, not P-256 or not signed by its key.
 */
export async function signCertificate(input: {
  readonly root: Root;
  readonly csrPem: string;
  readonly nodeId: string;
  readonly clusterId: string;
  readonly role: NodeRole;
  /** Unix ms. */
  readonly nowMs: number;
  /** ClusterSpec.CAConfig.NodeCertExpiry, in ns; below an hour counts as an hour. */
  readonly nodeCertExpiryNs: number;
  readonly random: Random;
}): Promise<string> {
  const x509 = await loadX509();
  const request = await verifiedRequest(x509, input.csrPem);
  const root = new x509.X509Certificate(input.root.certificatePem);
  const unit = ROLE_UNIT[input.role];
  const lifetimeMs = Math.max(LIFETIME_MIN_MS, input.nodeCertExpiryNs / NS_PER_MS);
  const names = [unit, input.nodeId, ...(input.role === "manager" ? [ROOT_COMMON_NAME] : [])];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(input.random),
    subject: [{ O: [input.clusterId] }, { OU: [unit] }, { CN: [input.nodeId] }],
    issuer: root.subject,
    notBefore: new Date(input.nowMs - BACKDATE_MS),
    // A certificate that outlives its root would only fail later and less clearly.
    notAfter: new Date(Math.min(input.nowMs + lifetimeMs, root.notAfter.getTime())),
    publicKey: request.publicKey,
    signingKey: await importPrivateKeyPem(input.root.privateKeyPem),
    signingAlgorithm: SIGNATURE_ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
        true,
      ),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value }))),
      await x509.SubjectKeyIdentifierExtension.create(request.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(root.publicKey),
    ],
  });
  return pem(certificate.rawData, "CERTIFICATE");
}

async function verifiedRequest(x509: X509, csrPem: string): Promise<Request> {
  if (Buffer.byteLength(csrPem) > CSR_BYTES_MAX) {
    throw new ApiError(
      "InvalidArgument",
      `certificate request is larger than ${CSR_BYTES_MAX} bytes`,
    );
  }
  let isSigned: boolean;
  let request: Request;
  try {
    request = new x509.Pkcs10CertificateRequest(csrPem);
    const { name, namedCurve } = keyKind(request);
    if (name !== KEY_ALGORITHM.name || namedCurve !== KEY_ALGORITHM.namedCurve) {
      throw new TypeError(`its key is ${name} ${namedCurve}, not ECDSA P-256`);
    }
    isSigned = await request.verify();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ApiError("InvalidArgument", `certificate request cannot be used: ${why}`, { cause });
  }
  if (!isSigned) {
    throw new ApiError("InvalidArgument", "certificate request is not signed by its own key");
  }
  return request;
}

/** The library gives the key's algorithm as WebCrypto's open dictionary. */
function keyKind(request: Request): { name: string; namedCurve?: string } {
  return request.publicKey.algorithm;
}

/** 19 random bytes, positive and without a leading zero: within the 20 octets RFC 5280 §4.1.2.2 allows. */
function serialNumber(random: Random): string {
  const bytes = Buffer.from(random.bytes(19));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}
