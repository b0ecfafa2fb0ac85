/** IPv4 addresses and prefixes as numbers. Ranges are half-open. */

export type Ipv4Prefix = { readonly base: number; readonly length: number };

export class AddressError extends Error {
  override readonly name = "AddressError";
}

export function parseIpv4(text: string): number {
  const parts = text.split(".");
  const bytes = parts.map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  if (parts.length !== 4 || bytes.some((byte) => byte > 255)) {
    throw new AddressError(`"${text}" is not an IPv4 address`);
  }
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

export function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

export function parsePrefix(text: string): Ipv4Prefix {
  const [address, lengthText] = text.split("/");
  const length = Number(lengthText ?? "32");
  if (address === undefined || !Number.isInteger(length) || length < 0 || length > 32) {
    throw new AddressError(`"${text}" is not an IPv4 prefix`);
  }
  const size = 2 ** (32 - length);
  return { base: Math.floor(parseIpv4(address) / size) * size, length };
}

export function formatPrefix(prefix: Ipv4Prefix): string {
  return `${formatIpv4(prefix.base)}/${prefix.length}`;
}

export function prefixSize(prefix: Ipv4Prefix): number {
  return 2 ** (32 - prefix.length);
}

export function overlaps(a: Ipv4Prefix, b: Ipv4Prefix): boolean {
  return a.base < b.base + prefixSize(b) && b.base < a.base + prefixSize(a);
}

/** First sub-prefix of `pool` that overlaps none of `taken`; undefined when there is none. */
export function firstFreePrefix(
  pool: Ipv4Prefix,
  length: number,
  taken: readonly Ipv4Prefix[],
): Ipv4Prefix | undefined {
  const step = 2 ** (32 - length);
  for (let base = pool.base; base + step <= pool.base + prefixSize(pool); base += step) {
    const candidate = { base, length };
    if (!taken.some((other) => overlaps(candidate, other))) return candidate;
  }
  return undefined;
}

/** Locally administered MAC that is a function of the address: no lookup, no collision inside a prefix. */
export function macOf(address: number): string {
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
  return ["02", "42", ...bytes.map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}
