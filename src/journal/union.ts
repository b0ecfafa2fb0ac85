/** Several that each know a part, as one sequence. */
import { comparePositions, isAfter, type JournalEntry } from "./core/index.js";

export type SourceFailure = { readonly source: number; readonly error: unknown };

/**
 * Entries of all sources by place, each once; of two at one place the one of the earlier source. A source that fails is told, with those that
 * failed beside it, before anything comes that it could have had, and is left out from there on; should `onFailures` throw, that is the end.
 * What a source tells out of order is left out. Sources are waited for side by side, and for as long as they take.
 */
export async function* union(
  sources: readonly AsyncIterable<JournalEntry>[],
  onFailures: (failures: readonly SourceFailure[]) => void,
): AsyncGenerator<JournalEntry> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  const heads: (JournalEntry | undefined)[] = sources.map(() => undefined);
  /** Whose next entry is to be fetched. */
  let empty = sources.map((_, source) => source);
  let told: JournalEntry | undefined;
  try {
    for (;;) {
      const failures: SourceFailure[] = [];
      const fetchNext = async (source: number): Promise<void> => {
        try {
          const next = await iterators[source]?.next();
          heads[source] = next === undefined || next.done ? undefined : next.value;
        } catch (error) {
          heads[source] = undefined;
          failures.push({ source, error });
        }
      };
      await Promise.all(empty.map(fetchNext));
      if (failures.length > 0) onFailures(failures.sort((a, b) => a.source - b.source));
      const least = leastOf(heads);
      if (least === undefined) return;
      if (told === undefined || isAfter(least, told)) {
        told = least;
        yield least;
      }
      empty = heads.flatMap((head, source) =>
        head !== undefined && comparePositions(head, least) === 0 ? [source] : [],
      );
    }
  } finally {
    await Promise.allSettled(iterators.map((iterator) => iterator.return?.()));
  }
}

function leastOf(heads: readonly (JournalEntry | undefined)[]): JournalEntry | undefined {
  let least: JournalEntry | undefined;
  for (const head of heads) {
    if (head !== undefined && (least === undefined || isAfter(least, head))) least = head;
  }
  return least;
}
