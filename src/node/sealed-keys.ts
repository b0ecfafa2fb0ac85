/** Keys at rest while managers are locked (spec §5.2): the node's key as encrypted PKCS#8, the Raft data keys as AES-256-GCM. */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  randomBytes,
  X509Certificate,
} from "node:crypto";

const PEM_CIPHER = "aes-256-cbc";
export const SEAL_CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Base64 of nonce, tag and ciphertext, one after the other. */
export type Sealed = string;

/** The unlock key is 32 random bytes: nothing that could be guessed, so how often PBKDF2 hashes it does not matter. */
function passphrase(unlockKey: Buffer): string {
  return unlockKey.toString("base64");
}

export function sealPrivateKey(privateKeyPem: string, unlockKey: Buffer): string {
  return createPrivateKey(privateKeyPem)
    .export({
      type: "pkcs8",
      format: "pem",
      cipher: PEM_CIPHER,
      passphrase: passphrase(unlockKey),
    })
    .toString();
}

/** Undefined when the key is not the one it was sealed with: what comes out has to fit the certificate. */
export function openPrivateKey(
  sealedPem: string,
  certificatePem: string,
  unlockKey: Buffer,
): string | undefined {
  try {
    const key = createPrivateKey({ key: sealedPem, passphrase: passphrase(unlockKey) });
    if (!new X509Certificate(certificatePem).checkPrivateKey(key)) return undefined;
    return key.export({ type: "pkcs8", format: "pem" }).toString();
  } catch {
    return undefined;
  }
}

export function seal(text: string, unlockKey: Buffer): Sealed {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(SEAL_CIPHER, unlockKey, nonce);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
}

/** Undefined when it was sealed with another key, or is damaged. */
export function unseal(sealed: Sealed, unlockKey: Buffer): string | undefined {
  const bytes = Buffer.from(sealed, "base64");
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv(SEAL_CIPHER, unlockKey, bytes.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const text = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}
