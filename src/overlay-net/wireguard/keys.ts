/** X25519 keys in the form that WireGuard shows them: 32 bytes in base64. */
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
} from "node:crypto";

export type KeyPair = { readonly privateKey: string; readonly publicKey: string };

/** What comes before the key itself in PKCS #8 and SPKI (RFC 8410 §7, §4). */
const PRIVATE_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");
const PUBLIC_PREFIX = Buffer.from("302a300506032b656e032100", "hex");
const KEY_BYTES = 32;

export function newKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("x25519", {
    privateKeyEncoding: { format: "der", type: "pkcs8" },
    publicKeyEncoding: { format: "der", type: "spki" },
  });
  const last = (der: Buffer) => der.subarray(der.length - KEY_BYTES).toString("base64");
  return { privateKey: last(privateKey), publicKey: last(publicKey) };
}

/**
 * The key that two nodes share: from a private part of one and a public part of the other, and bound to the pair by their WireGuard keys.
 * The same on both sides. Throws for a public part that is none.
 */
export function pairKey(
  ownPrivateKey: string,
  theirPublicKey: string,
  nodes: readonly [string, string],
): string {
  const secret = diffieHellman({
    privateKey: createPrivateKey({
      key: Buffer.concat([PRIVATE_PREFIX, Buffer.from(ownPrivateKey, "base64")]),
      format: "der",
      type: "pkcs8",
    }),
    publicKey: createPublicKey({
      key: Buffer.concat([PUBLIC_PREFIX, Buffer.from(theirPublicKey, "base64")]),
      format: "der",
      type: "spki",
    }),
  });
  const info = `swarm pair key ${[...nodes].sort().join(" ")}`;
  return Buffer.from(hkdfSync("sha256", secret, "", info, KEY_BYTES)).toString("base64");
}
