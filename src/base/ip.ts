/** IP addresses and prefixes of both families as numbers, and their canonical texts (RFC 5952 for IPv6). */

export type IpFamily = 4 | 6;
export type IpAddress = { readonly family: IpFamily; readonly value: bigint };
/** `base` has no host bits set. */
export type Cidr = { readonly family: IpFamily; readonly base: bigint; readonly length: number };

const BITS = { 4: 32, 6: 128 } as const;

export function addressBits(family: IpFamily): number {
  return BITS[family];
}

/** undefined for anything that is no address; zones (`%eth0`) are none. */
export function parseIp(text: string): IpAddress | undefined {
  const value = text.includes(":") ? parseV6(text) : parseV4(text);
  return value === undefined ? undefined : { family: text.includes(":") ? 6 : 4, value };
}

export function formatIp({ family, value }: IpAddress): string {
  return family === 4 ? formatV4(value) : formatV6(value);
}

/** Host bits are dropped: "10.0.5.7/24" is 10.0.5.0/24. undefined for anything that is no CIDR. */
export function parseCidr(text: string): Cidr | undefined {
  const [addressText = "", lengthText = "", more] = text.split("/");
  const address = parseIp(addressText);
  if (!address || more !== undefined || !/^\d{1,3}$/.test(lengthText)) return undefined;
  const length = Number(lengthText);
  if (length > BITS[address.family]) return undefined;
  return prefixOf(address, length);
}

export function formatCidr({ family, base, length }: Cidr): string {
  return `${formatIp({ family, value: base })}/${length}`;
}

/** The prefix of this length that the address is in. */
export function prefixOf({ family, value }: IpAddress, length: number): Cidr {
  const hostBits = BigInt(BITS[family] - length);
  return { family, base: (value >> hostBits) << hostBits, length };
}

export function cidrSize({ family, length }: Cidr): bigint {
  return 1n << BigInt(BITS[family] - length);
}

export function cidrHas(cidr: Cidr, address: IpAddress): boolean {
  return cidr.family === address.family && prefixOf(address, cidr.length).base === cidr.base;
}

/** Whether `inner` lies in `outer` as a whole. */
export function cidrCovers(outer: Cidr, inner: Cidr): boolean {
  return (
    inner.length >= outer.length && cidrHas(outer, { family: inner.family, value: inner.base })
  );
}

export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return a.length <= b.length ? cidrCovers(a, b) : cidrCovers(b, a);
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return BigInt(value);
}

function formatV4(value: bigint): string {
  const number = Number(value);
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : groupsOf(half)));
  const [head, tail] = groups;
  if (!head || groups.includes(undefined)) return undefined;
  const given = head.length + (tail?.length ?? 0);
  if (halves.length === 1 ? given !== 8 : given > 7) return undefined;
  const all = [...head, ...new Array<number>(8 - given).fill(0), ...(tail ?? [])];
  return all.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** 16-bit groups; an IPv4 address at the end counts as two. */
function groupsOf(text: string): readonly number[] | undefined {
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [at, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const embedded = at === parts.length - 1 ? parseV4(part) : undefined;
    if (embedded === undefined) return undefined;
    groups.push(Number(embedded >> 16n), Number(embedded & 0xffffn));
  }
  return groups;
}

/** RFC 5952 §4: lower case, no leading zeros, the first longest run of two or more zero groups as "::". */
function formatV6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, at) =>
    Number((value >> BigInt(16 * (7 - at))) & 0xffffn),
  );
  let longest = { at: 0, count: 1 };
  for (let at = 0; at < 8; at++) {
    let count = 0;
    while (at + count < 8 && groups[at + count] === 0) count++;
    if (count > longest.count) longest = { at, count };
  }
  const texts = groups.map((group) => group.toString(16));
  if (longest.count < 2) return texts.join(":");
  return `${texts.slice(0, longest.at).join(":")}::${texts.slice(longest.at + longest.count).join(":")}`;
}
