/** Another manager, as far as its journal goes: what it is asked and answers goes through the texts of the wire. */

import type { JournalEntry, JournalQuery } from "../core/index.js";
import { matchesQuery, parseQueryText, queryText } from "../core/index.js";
import { pageOf } from "../page.js";
import type { JournalPeer } from "../peers/peer-entries.js";
import type { JournalReader } from "../port.js";

export type TestPeer = JournalPeer & {
  readonly asked: JournalQuery[];
  /** Rejects questions with it while it is set. */
  failure: string;
};

export function peerOf(reader: JournalReader, name = "m2 (10.0.0.2:2377)"): TestPeer {
  const asked: JournalQuery[] = [];
  return {
    name,
    asked,
    failure: "",
    page(query) {
      asked.push(query);
      if (this.failure !== "") return Promise.reject(new Error(this.failure));
      return pageOf(reader, parseQueryText(queryText(query)));
    },
  };
}

/** Has these entries, in memory. */
export function readerOf(all: readonly JournalEntry[]): JournalReader {
  return {
    async *read(query) {
      await Promise.resolve();
      const matching = all.filter((each) => matchesQuery(each, query));
      const { last = matching.length } = query;
      yield* last === 0 ? [] : matching.slice(-last);
    },
  };
}
