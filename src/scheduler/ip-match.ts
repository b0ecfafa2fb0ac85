/** Addresses as `node.ip` constraints see them: one IP, or a CIDR range. Pure, for IPv4 and IPv6. */

type Address = { readonly bits: bigint; readonly width: 32 | 128 };

/** Whether `address` is the IP, or lies in the CIDR range, that `pattern` names. Text that is neither matches nothing. */
export function ipMatches(pattern: string, address: string): boolean {
  const [base, prefixText, ...rest] = pattern.split("/");
  const want = parseIp(base ?? "");
  const have = parseIp(address);
  if (!want || !have || rest.length > 0 || want.width !== have.width) return false;
  const prefix = prefixText === undefined ? want.width : parsePrefix(prefixText, want.width);
  if (prefix === undefined) return false;
  const shift = BigInt(want.width - prefix);
  return want.bits >> shift === have.bits >> shift;
}

function parsePrefix(text: string, width: number): number | undefined {
  if (!/^\d{1,3}$/.test(text)) return undefined;
  const prefix = Number(text);
  return prefix <= width ? prefix : undefined;
}

function parseIp(text: string): Address | undefined {
  if (text.includes(":")) {
    const bits = parseIpv6(text);
    return bits === undefined ? undefined : { bits, width: 128 };
  }
  const bits = parseIpv4(text);
  return bits === undefined ? undefined : { bits, width: 32 };
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let bits = 0n;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    bits = (bits << 8n) | BigInt(part);
  }
  return bits;
}

function parseIpv6(text: string): bigint | undefined {
  const [head, tail, ...rest] = text.split("::");
  if (rest.length > 0) return undefined;
  const left = parseGroups(head ?? "");
  const right = tail === undefined ? [] : parseGroups(tail);
  if (!left || !right) return undefined;
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...left, ...Array<bigint>(missing).fill(0n), ...right];
  return groups.reduce((bits, group) => (bits << 16n) | group, 0n);
}

function parseGroups(text: string): bigint[] | undefined {
  if (text === "") return [];
  const groups: bigint[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    const ipv4 = i === parts.length - 1 && part.includes(".") ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) groups.push(ipv4 >> 16n, ipv4 & 0xffffn);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}
