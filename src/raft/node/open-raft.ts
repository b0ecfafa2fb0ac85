import { continueAlone } from "../core/alone.js";
import type { HardState, SnapshotMeta } from "../core/entry.js";
import {
  EMPTY_MEMBERSHIP,
  MEMBER_CONTEXT_MAX_BYTES,
  MEMBER_ID_MAX_CHARS,
} from "../core/membership.js";
import { RaftCore, raiseHardState, type StoredState } from "../core/raft-core.js";
import type { CoreConfig } from "../core/state.js";
import { RaftError } from "../errors.js";
import { INDEX_ZERO, TERM_ZERO, toLogIndex, toTerm } from "../ids.js";
import type { OpenRaft, RaftNode, RaftOptions } from "../types.js";
import type { ReplayedLog } from "../wal/replay.js";
import { Sealer } from "../wal/sealer.js";
import type { SnapshotReader } from "../wal/snapshot-file.js";
import { SnapshotStore } from "../wal/snapshot-store.js";
import { Wal } from "../wal/wal.js";
import { decodeChange, encodeChange } from "../wire/entry-codec.js";
import { nodePorts, type RaftPorts } from "./ports.js";
import { RaftNodeLoop } from "./raft-node.js";
import { APPEND_MAX_BYTES, type Settings, settingsOf } from "./settings.js";

const NO_HARD_STATE: HardState = { term: TERM_ZERO, vote: undefined, commit: INDEX_ZERO };
const NOTHING: SnapshotMeta = { index: INDEX_ZERO, term: TERM_ZERO, membership: EMPTY_MEMBERSHIP };

export const openRaft: OpenRaft = (options, bootstrap) =>
  openRaftOn(nodePorts(), options, bootstrap);

/** As `openRaft`, with disk and scheduling handed in. */
export async function openRaftOn(
  ports: RaftPorts,
  options: RaftOptions,
  bootstrap?: { readonly context: Uint8Array },
): Promise<RaftNode> {
  const settings = settingsOf(options);
  const { dir, id: memberId, random } = options;
  if (memberId.length === 0 || memberId.length > MEMBER_ID_MAX_CHARS) {
    throw new RangeError(`bad member id: ${memberId}`);
  }
  const { disk } = ports;
  const sealer = new Sealer(options.keys, options.activeKeyId, (length) => random.bytes(length));
  await disk.ensureDir(dir);
  const store = new SnapshotStore(disk, dir, sealer);
  const { wal, log, tornBytes } = await Wal.open({ disk, dir, memberId, sealer });
  try {
    if (tornBytes > 0) options.logger.warn({ dir, tornBytes }, "unfinished frame cut off the log");
    const stored = await loadState(options, wal, log, store, bootstrap);
    const core = new RaftCore(coreConfig(options, settings), stored);
    core.snapshotSaved(stored.snapshot, settings.keepEntries);
    const restored = stored.snapshot;
    const node = new RaftNodeLoop({ options, settings, ports, core, wal, store, restored });
    node.start();
    return node;
  } catch (error) {
    await wal.close();
    throw error;
  }
}

function coreConfig(options: RaftOptions, settings: Settings): CoreConfig {
  return {
    id: options.id,
    electionTicks: settings.electionTicks,
    heartbeatTicks: settings.heartbeatTicks,
    random: () => options.random.float(),
    appendMaxBytes: APPEND_MAX_BYTES,
    encodeChange,
    decodeChange,
  };
}

/** Reads snapshot and log, and brings the state machine to the snapshot. */
async function loadState(
  options: RaftOptions,
  wal: Wal,
  log: ReplayedLog | undefined,
  store: SnapshotStore,
  bootstrap: { readonly context: Uint8Array } | undefined,
): Promise<StoredState> {
  requireOwn(log, options);
  const readers = await loadSnapshots(store, log, options);
  try {
    if (bootstrap !== undefined) {
      const known = await bootstrapGroup(wal, log, readers, options, bootstrap.context);
      return combine(known, NOTHING, options.dir);
    }
    const [newest] = readers;
    const stored = combine(log, newest?.meta ?? NOTHING, options.dir);
    if (log !== undefined && stored.base !== log.base) {
      // The log must say so too, or what is appended next would look like a gap.
      const { snapshot, hardState } = stored;
      await wal.save([{ reset: snapshot, entries: [], hardState }]);
    }
    const opened =
      options.continueAlone === true ? await goOnAlone(wal, log, stored, options) : stored;
    if (newest !== undefined) await options.stateMachine.restore(newest.chunks());
    return opened;
  } finally {
    for (const reader of readers) await reader.close();
  }
}

/** One frame, so that a crash leaves either the old group or the new one. Rejects with MEMBERSHIP_REFUSED. */
async function goOnAlone(
  wal: Wal,
  log: ReplayedLog | undefined,
  stored: StoredState,
  options: RaftOptions,
): Promise<StoredState> {
  const { id, dir, logger } = options;
  const alone = continueAlone(stored, id, { encodeChange, decodeChange });
  switch (alone.kind) {
    case "unchanged":
      logger.info({ id, dir }, "this member is the only one of its group already");
      return stored;
    case "refused":
      throw new RaftError("MEMBERSHIP_REFUSED", `this member cannot go on alone: ${alone.why}`);
    case "rewritten": {
      const { added, lost, droppedCount } = alone;
      const { hardState } = alone.stored;
      // Without a log there is nothing yet that says where the snapshot ends.
      const reset = log === undefined ? stored.snapshot : undefined;
      await wal.save([{ reset, entries: added, hardState }]);
      const fields = { id, dir, lost: lost.map((member) => member.id), droppedCount };
      logger.warn(fields, "this member goes on as the only one of its group");
      return alone.stored;
    }
  }
}

function requireOwn(log: ReplayedLog | undefined, options: RaftOptions): void {
  if (log === undefined || log.memberId === options.id) return;
  throw new RaftError(
    "DAMAGED",
    `${options.dir}: the log at offset 0 belongs to member ${log.memberId}`,
  );
}

/** The intact snapshots, newest first. A damaged newer one is passed over only if the log makes up for it. */
async function loadSnapshots(
  store: SnapshotStore,
  log: ReplayedLog | undefined,
  options: RaftOptions,
): Promise<SnapshotReader[]> {
  const { readers, damage } = await store.load();
  for (const error of damage)
    options.logger.error({ cause: error }, "damaged snapshot passed over");
  const from = readers[0]?.meta.index ?? INDEX_ZERO;
  const [first] = damage;
  const isCovered = log === undefined ? damage.length === 0 : log.base <= from;
  if (first === undefined && (isCovered || log === undefined)) return readers;
  if (isCovered && coversCommit(log, from)) return readers;
  for (const reader of readers) await reader.close();
  if (first !== undefined) {
    throw new RaftError("DAMAGED", `${first.message}; the log does not reach back to ${from}`, {
      cause: first,
    });
  }
  throw new RaftError(
    "DAMAGED",
    `${options.dir}: the log begins after ${log?.base ?? 0}, the newest snapshot ends at ${from} (offset 0)`,
  );
}

/** What was committed according to the log is in the log or in a snapshot. */
function coversCommit(log: ReplayedLog | undefined, from: number): boolean {
  if (log === undefined) return false;
  return Math.max(from, log.base + log.entries.length) >= log.hardState.commit;
}

/** Snapshot and log together. A snapshot the log does not contain came from a leader just before a crash. */
function combine(log: ReplayedLog | undefined, snapshot: SnapshotMeta, dir: string): StoredState {
  const hardState: HardState = log?.hardState ?? NO_HARD_STATE;
  const raised = raiseHardState(hardState, snapshot);
  const at = log === undefined ? -1 : snapshot.index - log.base;
  const termThere = at === 0 ? log?.baseTerm : log?.entries[at - 1]?.term;
  if (log === undefined || termThere !== snapshot.term) {
    const { index, term } = snapshot;
    return {
      hardState: { ...raised, commit: index },
      snapshot,
      base: index,
      baseTerm: term,
      entries: [],
    };
  }
  const last = log.base + log.entries.length;
  if (raised.commit > last) {
    // The commit index is written with or after the entries it covers, so they were there once.
    throw new RaftError(
      "DAMAGED",
      `${dir}: the log ends at ${last} (end of file), but ${raised.commit} was committed`,
    );
  }
  const { base, baseTerm, entries } = log;
  return { hardState: raised, snapshot, base, baseTerm, entries };
}

/** A new group begins with one committed entry in term 1 that makes this member its only voter. */
function bootstrapLog(options: RaftOptions, context: Uint8Array): ReplayedLog {
  const [index, term] = [toLogIndex(1), toTerm(1)];
  const data = encodeChange({ kind: "bootstrap", id: options.id, context });
  return {
    memberId: options.id,
    hardState: { term, vote: undefined, commit: index },
    base: INDEX_ZERO,
    baseTerm: TERM_ZERO,
    entries: [{ index, term, kind: "membership", data }],
  };
}

async function bootstrapGroup(
  wal: Wal,
  log: ReplayedLog | undefined,
  readers: readonly SnapshotReader[],
  options: RaftOptions,
  context: Uint8Array,
): Promise<ReplayedLog> {
  // A log without entries is what a crash within an earlier bootstrap leaves behind.
  const isEmpty =
    log === undefined || (log.entries.length === 0 && log.base === 0 && log.hardState.term === 0);
  if (!isEmpty || readers.length > 0)
    throw new Error(`${options.dir}: bootstrap needs an empty directory`);
  if (context.length > MEMBER_CONTEXT_MAX_BYTES) throw new RangeError("context too large");
  const first = bootstrapLog(options, context);
  await wal.save([{ reset: undefined, entries: first.entries, hardState: first.hardState }]);
  return first;
}
