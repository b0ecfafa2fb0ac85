import { constants } from "node:os";
import { EngineError } from "./port.js";

const REALTIME_MIN = 34;
const REALTIME_MAX = 64;

/** `SIGTERM`, `term`, `15`, `SIGRTMIN+3`… → number. Throws INVALID_SPEC for what is none. */
export function signalNumber(text: string): number {
  const name = text.trim().toUpperCase();
  if (/^\d+$/.test(name)) {
    const number = Number(name);
    if (number >= 1 && number <= REALTIME_MAX) return number;
  }
  const full = name.startsWith("SIG") ? name : `SIG${name}`;
  const known = Object.entries(constants.signals).find(([key]) => key === full);
  if (known !== undefined) return known[1];
  const realtime = /^SIGRT(MIN|MAX)(?:([+-])(\d+))?$/.exec(full);
  if (realtime !== null) {
    const base = realtime[1] === "MIN" ? REALTIME_MIN : REALTIME_MAX;
    const offset = Number(realtime[3] ?? 0) * (realtime[2] === "-" ? -1 : 1);
    const number = base + offset;
    if (number >= REALTIME_MIN && number <= REALTIME_MAX) return number;
  }
  throw new EngineError("INVALID_SPEC", `invalid signal: ${text}`);
}

/** Without its prefix, as `trap` names it: `TERM`. Numbers are looked up. */
export function signalName(text: string): string {
  const number = signalNumber(text);
  const known = Object.entries(constants.signals).find(([, value]) => value === number);
  return (known?.[0] ?? text).replace(/^SIG/, "");
}
