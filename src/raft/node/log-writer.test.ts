import { expect, test } from "vitest";
import type { RaftCore, Ready } from "../core/raft-core.js";
import { toLogIndex, toTerm } from "../ids.js";
import { entry, makeCore } from "../testing/core-cluster.js";
import type { SaveBatch } from "../wal/wal.js";
import { LogWriter } from "./log-writer.js";

/** What a core asks for that has learnt of a commit and of nothing else. */
function learnt(commit: number): Ready {
  const core: RaftCore = makeCore("a", { term: 1, entries: [entry(1, 1), entry(2, 1)] });
  core.ready();
  core.step({
    kind: "heartbeat",
    from: "b",
    to: "a",
    term: toTerm(1),
    commit: toLogIndex(commit),
    round: 0,
    context: new Uint8Array(0),
  });
  return core.ready();
}

function writer(): {
  readonly writer: LogWriter;
  readonly saved: SaveBatch[];
  readonly failures: unknown[];
} {
  const saved: SaveBatch[] = [];
  const failures: unknown[] = [];
  const wal = {
    save: (batches: readonly SaveBatch[]) => {
      saved.push(...batches);
      return undefined;
    },
  };
  return {
    writer: new LogWriter(
      wal,
      () => undefined,
      (cause) => failures.push(cause),
    ),
    saved,
    failures,
  };
}

test("a commit index alone waits for the next frame, but not for ever", () => {
  const { writer: log, saved } = writer();
  log.submit(learnt(2));
  expect(saved).toEqual([]);
  log.flushCommit();
  const hardState = { term: toTerm(1), vote: undefined, commit: toLogIndex(2) };
  expect(saved).toEqual([{ reset: undefined, entries: [], hardState }]);
  log.flushCommit();
  expect(saved).toHaveLength(1);
});

test("only the newest commit index is written", () => {
  const { writer: log, saved } = writer();
  log.submit(learnt(1));
  log.submit(learnt(2));
  log.flushCommit();
  expect(saved.map(({ hardState }) => hardState?.commit)).toEqual([2]);
});

test("a disk that refuses it ends the node", () => {
  const failures: unknown[] = [];
  const full = new Error("no space");
  const wal = {
    save: () => {
      throw full;
    },
  };
  const log = new LogWriter(
    wal,
    () => undefined,
    (cause) => failures.push(cause),
  );
  log.submit(learnt(2));
  log.flushCommit();
  expect(failures).toEqual([full]);
  log.flushCommit();
  expect(failures).toHaveLength(1);
});
