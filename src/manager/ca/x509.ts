/**
 * The one place that loads the certificate library: its decorators need `reflect-metadata` first, and it must be told which
 * WebCrypto to use.
 */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

/** Every key of the cluster: small signatures, quick to make, understood by every TLS stack. */
export const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
export const SIGNATURE_ALGORITHM = { name: "ECDSA", hash: "SHA-256" } as const;

export { x509 };
export type KeyPair = webcrypto.CryptoKeyPair;

export async function exportPrivateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return pem(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

/** Rejects with a DOMException when the PEM is no P-256 PKCS#8 key. */
export async function importPrivateKeyPem(privateKeyPem: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(privateKeyPem);
  if (der === undefined) throw new TypeError("no PRIVATE KEY block in the PEM text");
  return webcrypto.subtle.importKey("pkcs8", der, KEY_ALGORITHM, true, ["sign"]);
}

export async function generateKeys(): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
}

/** PEM with a newline at the end, so that concatenated PEM texts stay valid. */
export function pem(der: ArrayBuffer, label: string): string {
  return `${x509.PemConverter.encode(der, label).trimEnd()}\n`;
}
