/** Numbers of the supervisor (contracts §3, §4). Tests hand in shorter ones. */
export type SupervisorLimits = {
  readonly pingPeriodMs: number;
  /** Pings without an answer, after which a child counts as hung. */
  readonly unansweredPingsMax: number;
  /** Hand-over: sockets a child has not acknowledged. */
  readonly unackedSocketsMax: number;
  readonly socketAckMs: number;
  /** Sockets that wait for a front. */
  readonly waitingSocketsMax: number;
  readonly waitingSocketMs: number;
  /** Planned stop of one child. */
  readonly stopMs: number;
  /** A front that was told to retire; its own limit is 60 s. */
  readonly retireMs: number;
  /** `rest` takes the place of a manager that is not ready after this long. */
  readonly standInMs: number;
  /** A request to a child. */
  readonly childRequestMs: number;
  /** init and join answer by then. */
  readonly membershipMs: number;
  /** How often a full disk is looked at. */
  readonly diskCheckMs: number;
};

export const LIMITS: SupervisorLimits = {
  pingPeriodMs: 1_000,
  unansweredPingsMax: 30,
  unackedSocketsMax: 64,
  socketAckMs: 5_000,
  waitingSocketsMax: 64,
  waitingSocketMs: 5_000,
  stopMs: 7_000,
  retireMs: 65_000,
  standInMs: 1_000,
  childRequestMs: 30_000,
  membershipMs: 20_000,
  diskCheckMs: 5_000,
};
