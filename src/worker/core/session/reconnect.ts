/**
 * Which manager the agent dials next and when (contracts §5). A redirect is followed at once; a broken or silent manager
 * is left for the others; the delay grows to 2 s so that a cluster without a leader is not hammered.
 */

export type ReconnectState = {
  /** Known managers, `ip:port`, in a stable order. */
  readonly managers: readonly string[];
  /** The one dialled last; "" before the first. */
  readonly last: string;
  /** Attempts since the last Welcome. */
  readonly failureCount: number;
  /** Redirects in a row. */
  readonly redirectCount: number;
};

export type ReconnectEvent =
  /** The managers' own list, or the supervisor's at start. */
  | { readonly kind: "managers"; readonly addrs: readonly string[] }
  | { readonly kind: "welcome" }
  | { readonly kind: "redirect"; readonly leaderAddr: string; readonly addrs: readonly string[] }
  /** Could not connect, stream ended, or three heartbeats stayed unanswered. */
  | { readonly kind: "lost" };

export type Dial = { readonly addr: string; readonly delayMs: number };
export type ReconnectStep = { readonly next: ReconnectState; readonly dial: Dial | undefined };

/** Redirects followed without a pause; more in a row mean that managers disagree. */
const REDIRECTS_AT_ONCE = 3;
const FIRST_DELAY_MIN_MS = 50;
const FIRST_DELAY_MAX_MS = 250;
const DELAY_MAX_MS = 2_000;

export function initialReconnect(managers: readonly string[]): ReconnectState {
  return { managers: unique(managers), last: "", failureCount: 0, redirectCount: 0 };
}

/** `chance` is uniform in [0, 1). `dial` is absent when the event needs no new connection. */
export function stepReconnect(
  state: ReconnectState,
  event: ReconnectEvent,
  chance: number,
): ReconnectStep {
  switch (event.kind) {
    case "managers":
      // An empty list is never right: keep what worked.
      if (event.addrs.length === 0) return { next: state, dial: undefined };
      return { next: { ...state, managers: unique(event.addrs) }, dial: undefined };
    case "welcome":
      return { next: { ...state, failureCount: 0, redirectCount: 0 }, dial: undefined };
    case "redirect": {
      const managers = event.addrs.length > 0 ? unique(event.addrs) : state.managers;
      const known = { ...state, managers };
      if (event.leaderAddr === "") return dialNext(known, chance);
      const redirectCount = state.redirectCount + 1;
      const isAtOnce = redirectCount <= REDIRECTS_AT_ONCE;
      const failureCount = isAtOnce ? state.failureCount : state.failureCount + 1;
      return {
        next: { ...known, last: event.leaderAddr, redirectCount, failureCount },
        dial: {
          addr: event.leaderAddr,
          delayMs: isAtOnce ? 0 : delayMs(failureCount, chance),
        },
      };
    }
    case "lost":
      return dialNext(state, chance);
  }
}

/** The manager after the last one, round the list: the one just left comes last. */
function dialNext(state: ReconnectState, chance: number): ReconnectStep {
  const { managers } = state;
  const addr = managers[(managers.indexOf(state.last) + 1) % Math.max(1, managers.length)];
  const failureCount = state.failureCount + 1;
  const next = { ...state, failureCount, redirectCount: 0 };
  if (addr === undefined) return { next, dial: undefined };
  return {
    next: { ...next, last: addr },
    // The very first dial waits for nothing.
    dial: { addr, delayMs: state.last === "" ? 0 : delayMs(failureCount, chance) },
  };
}

function delayMs(failureCount: number, chance: number): number {
  const first = FIRST_DELAY_MIN_MS + chance * (FIRST_DELAY_MAX_MS - FIRST_DELAY_MIN_MS);
  return Math.min(DELAY_MAX_MS, Math.round(first * 2 ** Math.min(failureCount - 1, 8)));
}

function unique(addrs: readonly string[]): readonly string[] {
  return [...new Set(addrs.filter((addr) => addr !== ""))].sort();
}
