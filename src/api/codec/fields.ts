/** Checks of single fields, on the way in and on the way out: proto3 would wrap numbers and default texts in silence. */
import { TASK_STATE, type TaskState } from "../objects.js";
import { CodecError } from "./codec-error.js";

const UINT32_MAX = 0xffff_ffff;
const TASK_STATES: ReadonlySet<number> = new Set(Object.values(TASK_STATE));

/** Narrows a text to one of a union's members. "" (a missing field) is refused like any unknown one. */
export function enumField<T extends string>(
  allowed: readonly T[],
  what: string,
): (text: string | null | undefined) => T {
  return (text) => {
    const found = allowed.find((one) => one === text);
    if (found === undefined)
      throw new CodecError("UNKNOWN_VALUE", `unknown ${what} ${JSON.stringify(text ?? "")}`);
    return found;
  };
}

export function taskStateField(value: number | null | undefined): TaskState {
  const state = value ?? 0;
  if (!TASK_STATES.has(state)) throw new CodecError("UNKNOWN_VALUE", `unknown task state ${state}`);
  return state as TaskState;
}

/** A log index or other count beyond 32 bits. */
export function uintField(value: number | null | undefined, what: string): number {
  const number = value ?? 0;
  if (!Number.isSafeInteger(number) || number < 0)
    throw new CodecError("OUT_OF_RANGE", `${what} out of range: ${number}`);
  return number;
}

export function uint32Field(value: number | null | undefined, what: string): number {
  const number = value ?? 0;
  if (!Number.isInteger(number) || number < 0 || number > UINT32_MAX)
    throw new CodecError("OUT_OF_RANGE", `${what} out of range: ${number}`);
  return number;
}

export function int32Field(value: number | null | undefined, what: string): number {
  const number = value ?? 0;
  if (number !== (number | 0))
    throw new CodecError("OUT_OF_RANGE", `${what} out of range: ${number}`);
  return number;
}

/** Unix ms. */
export function timeField(value: number | null | undefined, what: string): number {
  const number = value ?? 0;
  if (!Number.isFinite(number) || number < 0)
    throw new CodecError("OUT_OF_RANGE", `${what} is no time: ${number}`);
  return number;
}

/** A sub-message that must be there. */
export function required<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined)
    throw new CodecError("MISSING_FIELD", `${what} is missing`);
  return value;
}

/**
 * Free text of engines and programs. A half surrogate pair (left when someone cuts a text inside an emoji) has no UTF-8 and
 * would make the whole message unreadable, so it becomes U+FFFD.
 */
export function textField(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}
