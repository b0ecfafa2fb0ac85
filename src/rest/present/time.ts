/** Unix ms as the Engine prints times: RFC 3339, trailing zeros of the fraction cut, as Go does. 0 is the unset time. */
export function formatTime(unixMs: number): string {
  if (unixMs === 0) return "0001-01-01T00:00:00Z";
  return new Date(unixMs).toISOString().replace(/\.?0*Z$/, "Z");
}
