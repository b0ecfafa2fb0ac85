/** As RFC 3339 with the fraction's trailing zeros left out, as the Engine API writes times: compared as text, `30.5Z` is before `30Z`. */
type Created = { readonly CreatedAt: string };

/** For sorting. */
export function newerFirst(a: Created, b: Created): number {
  return Date.parse(b.CreatedAt) - Date.parse(a.CreatedAt);
}
