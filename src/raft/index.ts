export type { Entry, EntryKind, HardState, Membership, SnapshotMeta } from "./core/entry.js";
export type { CoreMessage } from "./core/message.js";
export { type ProposeOutcome, RaftCore, type Ready, type StoredState } from "./core/raft-core.js";
export type { CoreConfig, CoreRole } from "./core/state.js";
export { RaftError } from "./errors.js";
export { toLogIndex, toTerm } from "./ids.js";
export { openRaft, openRaftOn } from "./node/open-raft.js";
export type { RaftPorts } from "./node/ports.js";
export type {
  CommittedEntry,
  DataKey,
  LogIndex,
  Member,
  MemberId,
  MembershipChange,
  OpenRaft,
  RaftClock,
  RaftErrorCode,
  RaftEvent,
  RaftLogger,
  RaftNode,
  RaftOptions,
  RaftRandom,
  RaftStatus,
  SnapshotPolicy,
  StateMachine,
  Term,
  Transport,
} from "./types.js";
export type { Disk, DiskFile } from "./wal/disk.js";
export { NodeDisk } from "./wal/node-disk.js";
