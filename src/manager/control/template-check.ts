/**
 * Placeholders in env, hostname and mounts are expanded on the node. Here only whether they can be: with the same names and the
 * same forms as there (`{{.Service.Name}}`, `{{index .Service.Labels "k"}}`, `{{"text"}}`).
 */
const ACTION = /\{\{-?\s*(.*?)\s*-?\}\}/gs;
const TEXT = String.raw`"(?:[^"\\]|\\.)*"`;
const LABEL = new RegExp(
  `^(?:\\.Service\\.Labels\\.[A-Za-z_]\\w*|index\\s+\\.Service\\.Labels\\s+${TEXT})$`,
);
const LITERAL = new RegExp(`^${TEXT}$`);
const FIELDS: ReadonlySet<string> = new Set([
  ".Service.ID",
  ".Service.Name",
  ".Node.ID",
  ".Node.Hostname",
  ".Node.Platform.OS",
  ".Node.Platform.Architecture",
  ".Task.ID",
  ".Task.Name",
  ".Task.Slot",
]);

/** Why the text cannot be expanded, or undefined. */
export function templateFault(text: string): string | undefined {
  if (!text.includes("{{")) return undefined;
  for (const [whole, action = ""] of text.matchAll(ACTION))
    if (!FIELDS.has(action) && !LABEL.test(action) && !LITERAL.test(action))
      return `template ${whole} is not known; use ${[...FIELDS].join(", ")} or index .Service.Labels "<name>"`;
  return text.replace(ACTION, "").includes("{{")
    ? `template in ${JSON.stringify(text)} is not closed`
    : undefined;
}
