import type { RaftOptions, SnapshotPolicy } from "../types.js";

/** Bytes of proposals appended and not applied; more are refused with OVERLOADED. */
export const INFLIGHT_BYTES_MAX = 64 * 1024 * 1024;
/** Messages received and not processed; more are dropped, which Raft repairs. */
export const INBOX_MAX = 8_192;
/** Upper bound for `proposalMaxBytes`: one entry must fit a 4 MiB message. */
export const PROPOSAL_LIMIT_BYTES = 3 * 1024 * 1024;
/** Entries per append message, in bytes. */
export const APPEND_MAX_BYTES = 1024 * 1024;
/** A snapshot is also taken once the log in memory is this large. */
export const LOG_MAX_BYTES = 64 * 1024 * 1024;
/** A reader is told NOT_LEADER once no leader has been known for this many election timeouts. */
export const LEADERLESS_TIMEOUTS = 2;
/** Upper end of the random wait between a lost leader connection and the pre-vote. */
export const DISCONNECT_WAIT_MAX_MS = 100;

export type Settings = {
  readonly tickMs: number;
  readonly heartbeatTicks: number;
  readonly electionTicks: number;
  readonly snapshotEntries: number;
  readonly keepEntries: number;
  readonly proposalMaxBytes: number;
  readonly inflightMax: number;
};

/** Fills in the defaults of what may change while the member runs. */
export function snapshotPolicyOf(
  policy: SnapshotPolicy,
): Pick<Settings, "snapshotEntries" | "keepEntries"> {
  return {
    snapshotEntries: policy.snapshotEntries ?? 10_000,
    keepEntries: policy.keepEntries ?? 500,
  };
}

/** Fills in the defaults and checks what would break invariants. Throws RangeError. */
export function settingsOf(options: RaftOptions): Settings {
  const settings: Settings = {
    tickMs: options.tickMs ?? 100,
    heartbeatTicks: options.heartbeatTicks ?? 1,
    electionTicks: options.electionTicks ?? 6,
    ...snapshotPolicyOf(options),
    proposalMaxBytes: options.proposalMaxBytes ?? 1.5 * 1024 * 1024,
    inflightMax: options.inflightMax ?? 4_096,
  };
  if (settings.electionTicks <= settings.heartbeatTicks) {
    throw new RangeError("electionTicks must exceed heartbeatTicks");
  }
  if (settings.proposalMaxBytes > PROPOSAL_LIMIT_BYTES) {
    throw new RangeError(`proposalMaxBytes must not exceed ${PROPOSAL_LIMIT_BYTES}`);
  }
  return settings;
}
