/**
 * The one place that loads the certificate library. It takes 0.3 s of a core and 20 MB, so it is loaded when the first
 * certificate or request is made: reading certificates needs Node's own crypto alone (certificate.ts). The library needs
 * `reflect-metadata` first, and must be told which WebCrypto to use.
 */
import { webcrypto } from "node:crypto";
import type * as X509Module from "@peculiar/x509";

/** Every key of the cluster: small signatures, quick to make, understood by every TLS stack. */
export const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
export const SIGNATURE_ALGORITHM = { name: "ECDSA", hash: "SHA-256" } as const;

export type X509 = typeof X509Module;
export type KeyPair = webcrypto.CryptoKeyPair;

let loading: Promise<X509> | undefined;

export function loadX509(): Promise<X509> {
  loading ??= load();
  return loading;
}

async function load(): Promise<X509> {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

export async function exportPrivateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return pem(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

/** Rejects with a DOMException when the PEM is no P-256 PKCS#8 key. */
export async function importPrivateKeyPem(privateKeyPem: string): Promise<webcrypto.CryptoKey> {
  const base64 = privateKeyPem.replace(/-----[A-Z ]+-----|\s/g, "");
  const der = Buffer.from(base64, "base64");
  return webcrypto.subtle.importKey("pkcs8", der, KEY_ALGORITHM, true, ["sign"]);
}

export async function generateKeys(): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
}

/** PEM with a newline at the end, so that concatenated PEM texts stay valid. */
export function pem(der: ArrayBuffer, label: string): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
