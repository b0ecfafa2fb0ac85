import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { type ApiError, SeededRandom } from "../../base/index.js";
import {
  createCsr,
  createRoot,
  isSignedBy,
  makeJoinToken,
  makeJoinTokens,
  parseCertificate,
  parseJoinToken,
  type Root,
  renewalTimeMs,
  roleOfToken,
  rootDigest,
  signCertificate,
  tlsInfo,
  verifyRootDigest,
} from "./index.js";
import { generateKeys, loadX509, pem, SIGNATURE_ALGORITHM } from "./x509.js";

const NOW = Date.UTC(2026, 0, 15);
const HOUR = 3_600_000;
const DAY_NS = 24 * HOUR * 1e6;
const random = new SeededRandom(1);
const x509 = await loadX509();
let root: Root;
let csrPem: string;

beforeAll(async () => {
  root = await createRoot(NOW, random);
  csrPem = (await createCsr()).csrPem;
});

function sign(change: Partial<Parameters<typeof signCertificate>[0]> = {}): Promise<string> {
  return signCertificate({
    root,
    csrPem,
    nodeId: "n1",
    clusterId: "c1",
    role: "worker",
    nowMs: NOW,
    nodeCertExpiryNs: 90 * DAY_NS,
    random,
    ...change,
  });
}

test("the root is self-signed P-256, named swarm-ca, for 20 years", () => {
  const parsed = new X509Certificate(root.certificatePem);
  expect(parsed.subject).toBe("CN=swarm-ca");
  expect(parsed.ca).toBe(true);
  expect(parsed.verify(parsed.publicKey)).toBe(true);
  expect(parsed.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
  expect(new Date(parsed.validTo).getUTCFullYear()).toBe(2046);
});

test.each([
  { role: "worker", names: "DNS:swarm-worker, DNS:n1" },
  { role: "manager", names: "DNS:swarm-manager, DNS:n1, DNS:swarm-ca" },
] as const)("a $role's certificate names node, cluster and role", async ({ role, names }) => {
  const certificatePem = await sign({ role });
  const parsed = new X509Certificate(certificatePem);
  expect(parsed.subject).toBe(`O=c1\nOU=swarm-${role}\nCN=n1`);
  expect(parsed.subjectAltName).toBe(names);
  expect(parsed.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  expect(parsed.verify(new X509Certificate(root.certificatePem).publicKey)).toBe(true);
  expect(parseCertificate(certificatePem)).toEqual({
    nodeId: "n1",
    clusterId: "c1",
    role,
    notBeforeMs: NOW - HOUR,
    notAfterMs: NOW + 90 * 24 * HOUR,
  });
});

test.each([
  { name: "an expiry below an hour counts as an hour", expiryNs: 1, endsMs: NOW + HOUR },
  {
    name: "a node certificate ends with its root at the latest",
    expiryNs: 100 * 365 * DAY_NS,
    endsMs: NOW + 20 * 365 * 24 * HOUR,
  },
])("$name", async ({ expiryNs, endsMs }) => {
  expect(parseCertificate(await sign({ nodeCertExpiryNs: expiryNs })).notAfterMs).toBe(endsMs);
});

describe("a request that asks for more than a key", () => {
  test("gets none of it: subject, names and CA rights come from the cluster alone", async () => {
    const keys = await generateKeys();
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: "CN=other-node, OU=swarm-manager, O=other-cluster",
      keys,
      signingAlgorithm: SIGNATURE_ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 5, true),
        new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "swarm-manager" }]),
      ],
    });
    const parsed = new X509Certificate(
      await sign({ csrPem: pem(request.rawData, "CERTIFICATE REQUEST") }),
    );
    expect(parsed.subject).toBe("O=c1\nOU=swarm-worker\nCN=n1");
    expect(parsed.subjectAltName).toBe("DNS:swarm-worker, DNS:n1");
    expect(parsed.ca).toBe(false);
  });

  test.each([
    { name: "too large", make: () => "x".repeat(9_000), text: "larger than 8192 bytes" },
    { name: "no PEM at all", make: () => "hello", text: "cannot be used" },
    {
      name: "another kind of PEM",
      make: () => root.certificatePem,
      text: "cannot be used",
    },
    {
      name: "changed after it was signed",
      make: () => {
        const der = Buffer.from(x509.PemConverter.decodeFirst(csrPem));
        const at = der.indexOf("swarm-node");
        der.write("swarm-evil", at);
        return pem(new Uint8Array(der).buffer, "CERTIFICATE REQUEST");
      },
      text: "not signed by its own key",
    },
  ])("$name is refused", async ({ make, text }) => {
    await expect(sign({ csrPem: make() })).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining(text),
    });
  });

  test("with an RSA key is refused", async () => {
    const keys = await x509.cryptoProvider.get().subtle.generateKey(
      {
        name: "RSASSA-PKCS1-v1_5",
        hash: "SHA-256",
        modulusLength: 2048,
        publicExponent: new Uint8Array([1, 0, 1]),
      },
      true,
      ["sign", "verify"],
    );
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: "CN=x",
      keys,
      signingAlgorithm: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    });
    await expect(sign({ csrPem: pem(request.rawData, "CERTIFICATE REQUEST") })).rejects.toThrow(
      "not ECDSA P-256",
    );
  });
});

describe("join tokens", () => {
  test("have 50 digits of digest and 25 of secret, and differ by secret alone", () => {
    const tokens = makeJoinTokens(root.certificatePem, random);
    expect(tokens.worker).toMatch(/^SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}$/);
    expect(tokens.worker.slice(0, 60)).toBe(tokens.manager.slice(0, 60));
    expect(tokens.worker).not.toBe(tokens.manager);
    expect(parseJoinToken(` ${tokens.worker}\n`).digest).toBe(rootDigest(root.certificatePem));
  });

  test("are always full length, also when the numbers are small", () => {
    const zeros = { float: () => 0, bytes: (length: number) => new Uint8Array(length) };
    expect(makeJoinToken("x", zeros)).toMatch(/-0{25}$/);
  });

  test.each([
    "",
    "SWMTKN-1-abc-def",
    "SWMTKN-2-1-a-b",
    `SWMTKN-1-${"A".repeat(50)}-${"a".repeat(25)}`,
  ])("%j has not the form of a token", (text) => {
    expect(() => parseJoinToken(text)).toThrow("valid join token");
  });

  test("of another cluster fail on the root's digest, saying so", async () => {
    const other = await createRoot(NOW, random);
    const token = parseJoinToken(makeJoinToken(other.certificatePem, random));
    expect(() => verifyRootDigest(token, root.certificatePem)).toThrow("fingerprint mismatch");
    expect(() => verifyRootDigest(token, other.certificatePem)).not.toThrow();
  });

  test.each([
    { name: "worker token", token: "w", role: "worker" },
    { name: "manager token", token: "m", role: "manager" },
    { name: "unknown token", token: "x", role: undefined },
    { name: "no token", token: "", role: undefined },
  ] as const)("$name admits to $role", ({ token, role }) => {
    expect(roleOfToken({ worker: "w", manager: "m" }, token)).toBe(role);
  });
});

test.each([
  { chance: 0, atMs: 500 },
  { chance: 0.5, atMs: 650 },
  { chance: 0.999999, atMs: 800 },
])("chance $chance renews at $atMs of 1000", ({ chance, atMs }) => {
  expect(renewalTimeMs({ notBeforeMs: 0, notAfterMs: 1_000 }, chance)).toBeCloseTo(atMs, 2);
});

test("a changed certificate is signed by nobody", async () => {
  const der = Buffer.from(x509.PemConverter.decodeFirst(await sign()));
  der.write("n2", der.lastIndexOf("n1"));
  expect(isSignedBy(pem(new Uint8Array(der).buffer, "CERTIFICATE"), root.certificatePem, NOW)).toBe(
    false,
  );
});

test("a certificate is known by any root of the bundle, and only while it is valid", async () => {
  const other = await createRoot(NOW, random);
  const leaf = await sign();
  expect(isSignedBy(leaf, other.certificatePem + root.certificatePem, NOW)).toBe(true);
  expect(isSignedBy(leaf, other.certificatePem, NOW)).toBe(false);
  expect(isSignedBy(leaf, root.certificatePem, NOW + 91 * 24 * HOUR)).toBe(false);
});

test("TLS info is the issuer's name and key as DER", () => {
  const info = tlsInfo(root.certificatePem);
  const spki = new X509Certificate(root.certificatePem).publicKey.export({
    format: "der",
    type: "spki",
  });
  expect(info.CertIssuerPublicKey).toBe(spki.toString("base64"));
  const subject = new x509.X509Certificate(root.certificatePem).subjectName.toArrayBuffer();
  expect(info.CertIssuerSubject).toBe(Buffer.from(subject).toString("base64"));
});

test.each([
  { name: "the root itself", make: () => root.certificatePem, text: "not a node certificate" },
  { name: "no certificate", make: () => "nothing", text: "cannot be read" },
])("$name names no node", ({ make, text }) => {
  expect(() => parseCertificate(make())).toThrowError(
    expect.objectContaining<Partial<ApiError>>({ message: expect.stringContaining(text) }),
  );
});
