/** Addresses in the form DNS carries them: 4 or 16 bytes, and names under in-addr.arpa and ip6.arpa (RFC 1035 §3.5, RFC 3596). */

export type AddressBytes = Uint8Array;

/** A prefix in bytes; `lengthBits` of them count. */
export type PrefixBytes = { readonly bytes: AddressBytes; readonly lengthBits: number };

const GROUP_COUNT = 8;

/** 4 or 16 bytes; undefined for text that is no address ("" among it). A prefix length after the address is ignored. */
export function addressBytes(text: string): AddressBytes | undefined {
  const address = text.split("/", 1)[0] ?? "";
  return address.includes(":") ? ipv6Bytes(address) : ipv4Bytes(address);
}

/** undefined for "" and for what is no CIDR. */
export function prefixBytes(cidr: string): PrefixBytes | undefined {
  const bytes = addressBytes(cidr);
  const lengthBits = Number(cidr.split("/")[1] ?? Number.NaN);
  if (bytes === undefined || !Number.isInteger(lengthBits)) return undefined;
  return lengthBits < 0 || lengthBits > bytes.length * 8 ? undefined : { bytes, lengthBits };
}

export function isInside(address: AddressBytes, prefix: PrefixBytes): boolean {
  if (address.length !== prefix.bytes.length) return false;
  for (let bit = 0; bit < prefix.lengthBits; bit += 8) {
    const mask = 0xff & (0xff << Math.max(0, bit + 8 - prefix.lengthBits));
    const difference = (address[bit / 8] ?? 0) ^ (prefix.bytes[bit / 8] ?? 0);
    if ((difference & mask) !== 0) return false;
  }
  return true;
}

/** Name whose PTR record belongs to the address: lower case, no trailing dot. */
export function reverseName(address: AddressBytes): string {
  if (address.length === 4) {
    return `${address[3]}.${address[2]}.${address[1]}.${address[0]}.in-addr.arpa`;
  }
  const bytes = [...address].reverse();
  const nibbles = bytes.flatMap((byte) => [(byte & 15).toString(16), (byte >> 4).toString(16)]);
  return `${nibbles.join(".")}.ip6.arpa`;
}

/** Inverse of `reverseName` for a lower-case name; undefined for any other name, parts of an address among them. */
export function addressOfReverseName(name: string): AddressBytes | undefined {
  if (name.endsWith(".in-addr.arpa")) {
    return ipv4Bytes(name.slice(0, -".in-addr.arpa".length).split(".").reverse().join("."));
  }
  if (!name.endsWith(".ip6.arpa")) return undefined;
  const nibbles = name.slice(0, -".ip6.arpa".length).split(".").reverse();
  if (nibbles.length !== 32 || nibbles.some((nibble) => !/^[0-9a-f]$/.test(nibble))) {
    return undefined;
  }
  const hex = nibbles.join("");
  return Uint8Array.from({ length: 16 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}

function ipv4Bytes(text: string): AddressBytes | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255)) {
    return undefined;
  }
  return Uint8Array.from(parts, Number);
}

/** RFC 4291 §2.2, all three forms. */
function ipv6Bytes(text: string): AddressBytes | undefined {
  const halves = text.split("::");
  const head = groupsOf(halves[0] ?? "");
  const tail = groupsOf(halves[1] ?? "");
  if (halves.length > 2 || head === undefined || tail === undefined) return undefined;
  const missing = GROUP_COUNT - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

function groupsOf(text: string): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  for (const part of text.split(":")) {
    const v4 = part.includes(".") ? ipv4Bytes(part) : undefined;
    if (v4 !== undefined) {
      groups.push(((v4[0] ?? 0) << 8) | (v4[1] ?? 0), ((v4[2] ?? 0) << 8) | (v4[3] ?? 0));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
