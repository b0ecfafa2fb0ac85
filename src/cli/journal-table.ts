/** Entries of the journal as lines for people. */
export type JournalEntry = {
  readonly index: number;
  readonly seq: number;
  readonly atMs: number;
  readonly type: string;
  readonly action: string;
  readonly id: string;
  readonly name: string;
  readonly who: { readonly nodeId: string; readonly door: string; readonly actor: string };
  readonly old: Readonly<Record<string, string>>;
  readonly new: Readonly<Record<string, string>>;
  readonly moreFields: number;
  readonly outcome: string;
};

const ID_SHOWN = 12;

export function historyRows(entries: readonly JournalEntry[]): readonly (readonly string[])[] {
  const rows = entries.map((entry) => [
    new Date(entry.atMs).toISOString(),
    whoText(entry),
    `${entry.type} ${entry.name} ${entry.action}`,
    changesText(entry),
    plain(entry.outcome),
  ]);
  return [["TIME", "WHO", "WHAT", "CHANGED", "OUTCOME"], ...rows];
}

export function eventText(entry: JournalEntry): string {
  const { type, action, name, id } = entry;
  const parts = [changesText(entry), plain(entry.outcome), `by ${whoText(entry)}`];
  const time = new Date(entry.atMs).toISOString();
  return `${time} ${type} ${action} ${name} (${id.slice(0, ID_SHOWN)}) ${parts.filter((part) => part !== "").join("; ")}`;
}

function whoText({ who }: JournalEntry): string {
  const node = who.nodeId === "" ? "" : `@${who.nodeId.slice(0, ID_SHOWN)}`;
  return `${who.door}${who.actor === "" ? "" : `:${plain(who.actor)}`}${node}`;
}

/** Of a new or removed object the fields say nothing that its own state does not. */
function changesText(entry: JournalEntry): string {
  if (entry.action !== "update") return "";
  const fields = [...new Set([...Object.keys(entry.old), ...Object.keys(entry.new)])].sort();
  const texts = fields.map((field) => {
    const [before = "", after = ""] = [entry.old[field], entry.new[field]];
    return before === after ? `${field} changed` : `${field}: ${plain(before)} → ${plain(after)}`;
  });
  const more = entry.moreFields > 0 ? [`and ${entry.moreFields} more`] : [];
  return [...texts, ...more].join(", ");
}

/** Texts come from clients and containers: nothing in them moves a terminal's cursor. */
function plain(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}
