/** Which links carry what nodes send each other: the smallest of them bounds the MTU of overlay networks (contracts §7). */

const UP = 0x1;
const REJECT = 0x200;
/** Links of ours: the node's bridge, and its place on ingress. */
const OURS = /^sw(gw|in)/;

/**
 * From the text of /proc/net/route: the links of default routes. On a host without one all that routes lead to, as other nodes may be
 * behind any. Sorted, each once.
 */
export function underlayLinks(text: string): readonly string[] {
  const routes = text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [link = "", destination, , flags] = line.trim().split(/\s+/);
      const isUp = (Number.parseInt(flags ?? "0", 16) & UP) !== 0;
      return link === "" || !isUp || OURS.test(link) ? [] : [{ link, destination }];
    });
  const defaults = routes.filter(({ destination }) => /^0+$/.test(destination ?? ""));
  const links = (defaults.length > 0 ? defaults : routes).map(({ link }) => link);
  return [...new Set(links)].sort();
}

/** The same of /proc/net/ipv6_route, for hosts that speak IPv6 alone: the links of default routes that lead somewhere. */
export function underlayLinks6(text: string): readonly string[] {
  const links = text.split("\n").flatMap((line) => {
    const [destination = "", length, , , , , , , flagText = "", link = ""] = line
      .trim()
      .split(/\s+/);
    const flags = Number.parseInt(flagText, 16);
    const isDefault = length === "00" && /^0+$/.test(destination);
    const isUsable = (flags & UP) !== 0 && (flags & REJECT) === 0;
    return isDefault && isUsable && link !== "lo" && !OURS.test(link) ? [link] : [];
  });
  return [...new Set(links)].sort();
}

/** Bytes; undefined when no text says a number. Each is the MTU of one link. */
export function smallestMtu(texts: readonly string[]): number | undefined {
  const known = texts.map(Number).filter((mtu) => Number.isSafeInteger(mtu) && mtu > 0);
  return known.length === 0 ? undefined : Math.min(...known);
}
