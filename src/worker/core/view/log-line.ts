/** Pieces of Docker's log stream: time stamps, details, query parameters. */

const NS_DIGITS = 19;

/** Unix ns (19 digits) as RFC 3339 with nine fractional digits. */
export function formatLogTime(timeNs: string): string {
  const seconds = new Date(Number(timeNs.slice(0, -9)) * 1_000).toISOString().slice(0, 19);
  return `${seconds}.${timeNs.slice(-9)}Z`;
}

/** `since` and `until`: Unix seconds with up to nine decimals, or RFC 3339. "" = no bound; undefined if it is neither. */
export function parseLogTime(text: string): string | undefined {
  if (text === "" || text === "0") return "";
  const unix = /^(\d{1,10})(?:\.(\d{1,9}))?$/.exec(text);
  if (unix !== null) {
    const ns = `${unix[1]}${(unix[2] ?? "").padEnd(9, "0")}`;
    return ns.padStart(NS_DIGITS, "0");
  }
  const rfc = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/.exec(
    text,
  );
  if (rfc === null) return undefined;
  const seconds = Date.parse(`${rfc[1]}${rfc[3]}`) / 1_000;
  if (!Number.isFinite(seconds)) return undefined;
  return `${seconds}${(rfc[2] ?? "").padEnd(9, "0")}`.padStart(NS_DIGITS, "0");
}

/** `tail`: a count, "all" or nothing; undefined if it is something else. */
export function parseTail(text: string): number | "all" | undefined {
  if (text === "" || text === "all") return "all";
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** `k=v,k=v`, sorted and query-escaped, as clients parse it. */
export function formatDetails(details: Readonly<Record<string, string>>): string {
  return Object.keys(details)
    .sort()
    .map((key) => `${encodeURIComponent(key)}=${encodeURIComponent(details[key] ?? "")}`)
    .join(",");
}
