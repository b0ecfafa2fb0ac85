/** The history a client asked for, begun before its answer is: what may be missing must be known when the headers are sent. */
import type { JournalEntry, JournalQuery } from "../../journal/index.js";
import type { ClusterJournal } from "../../manager/index.js";

/** A sentence for users on what the answer may lack: a header, or a trailer when it is known only later. */
export const NOTICE_HEADER = "Swarm-Journal-Notice";
const NOTICE_LENGTH_MAX = 512;

export type ToldHistory = {
  readonly entries: AsyncIterable<JournalEntry>;
  /** As known so far; "": nothing is missing. */
  notice(): string;
};

/** Resolves when the first entry is there, or none is to come. */
export async function beginHistory(
  journal: ClusterJournal,
  query: JournalQuery,
  /** The client has left. */
  closed: AbortSignal,
): Promise<ToldHistory> {
  let notice = "";
  const onNotice = (text: string): void => {
    notice = headerText(text);
  };
  const iterator = journal.read(query, onNotice, closed)[Symbol.asyncIterator]();
  const first = await iterator.next();
  return { entries: startingWith(first, iterator), notice: () => notice };
}

export function noticeHeaders(history: ToldHistory | undefined): Readonly<Record<string, string>> {
  const notice = history?.notice() ?? "";
  return notice === "" ? {} : { [NOTICE_HEADER]: notice };
}

async function* startingWith(
  first: IteratorResult<JournalEntry>,
  iterator: AsyncIterator<JournalEntry>,
): AsyncGenerator<JournalEntry> {
  try {
    for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

/** Names and messages in it come from elsewhere: one line of ASCII. */
function headerText(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e]+/g, " ").slice(0, NOTICE_LENGTH_MAX);
}
