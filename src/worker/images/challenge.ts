/** One scheme offered in a `WWW-Authenticate` header (RFC 9110 §11.6.1), as registries use it. */
export type Challenge =
  | { readonly scheme: "basic" }
  | {
      readonly scheme: "bearer";
      readonly realm: string;
      readonly service: string | undefined;
      readonly scope: string | undefined;
    };

/** The strongest scheme we speak: Bearer before Basic; undefined if neither is offered. */
export function parseChallenge(header: string): Challenge | undefined {
  const bearer = /(?:^|,\s*)bearer\s+/i.exec(header);
  if (bearer !== null) {
    const values = parseParameters(header.slice(bearer.index + bearer[0].length));
    const realm = values.get("realm");
    if (realm !== undefined && realm !== "")
      return {
        scheme: "bearer",
        realm,
        service: values.get("service"),
        scope: values.get("scope"),
      };
  }
  return /(?:^|,\s*)basic\b/i.test(header) ? { scheme: "basic" } : undefined;
}

function parseParameters(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const parameter = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,\s*|$)/y;
  for (let match = parameter.exec(text); match !== null; match = parameter.exec(text)) {
    const quoted = match[2]?.replace(/\\(.)/g, "$1");
    values.set((match[1] ?? "").toLowerCase(), quoted ?? match[3] ?? "");
  }
  return values;
}
