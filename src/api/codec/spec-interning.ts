/**
 * Specs are parsed once and shared: all tasks of a service point to one frozen object (about 380 bytes a task instead
 * of 2.7 KB). The table is weak, so a spec lives exactly as long as something refers to it. Whether two equal specs happen to be
 * one object is a matter of memory only: nothing may decide by identity; compare with `sameSpec`.
 */
import { canonicalJson } from "./canonical-json.js";
import { CodecError } from "./codec-error.js";

/** Below this many entries dead ones are not worth looking for. */
const SWEEP_FLOOR = 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Canonical text → the shared object. */
const shared = new Map<string, WeakRef<object>>();
/** Shared object → its canonical text, so that it is never printed twice. */
const textOf = new WeakMap<object, string>();
let sweepAt = SWEEP_FLOOR;

/** The shared frozen object equal to `value`. Absent members are dropped; `value` itself is neither kept nor frozen. */
export function internSpec<T extends object>(value: T): T {
  return textOf.has(value) ? value : fromCanonicalText<T>(canonicalJson(value));
}

/** Canonical JSON bytes of a spec, as stored and sent. */
export function encodeSpec(value: object): Uint8Array {
  return encoder.encode(specText(value));
}

/** The shared frozen object for stored or received bytes. `T` is what their writer validated. Throws CodecError. */
export function decodeSpec<T extends object>(bytes: Uint8Array, what: string): T {
  try {
    const text = decoder.decode(bytes);
    const known = shared.get(text)?.deref();
    if (known !== undefined) return known as T;
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null)
      throw new CodecError("MALFORMED", `${what} is no JSON object`);
    // Bytes of another writer may be equal JSON in another order: only the canonical text is a key.
    const canonical = canonicalJson(parsed);
    // Parsed just now and seen by nobody else, so it can be the shared one.
    return canonical === text ? share(text, parsed as T) : fromCanonicalText<T>(canonical);
  } catch (error) {
    if (error instanceof CodecError) throw error;
    throw new CodecError("MALFORMED", `${what} is no JSON`, { cause: error });
  }
}

/** Canonical text of a spec; free for shared ones. */
export function specText(value: object): string {
  return textOf.get(value) ?? canonicalJson(value);
}

/** Whether two specs say the same. Cheap for shared ones. */
export function sameSpec(a: object | undefined, b: object | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return specText(a) === specText(b);
}

/** Number of table entries, dead ones included: for tests and metrics. */
export function internedSpecCount(): number {
  return shared.size;
}

function fromCanonicalText<T extends object>(text: string): T {
  const known = shared.get(text)?.deref();
  return known === undefined ? share(text, JSON.parse(text) as T) : (known as T);
}

/** Makes `value`, whose canonical text this is, the shared object. */
function share<T extends object>(text: string, value: T): T {
  const made = deepFreeze(value);
  if (shared.size >= sweepAt) sweep();
  shared.set(text, new WeakRef(made));
  textOf.set(made, text);
  return made;
}

/** Dead entries are dropped whenever the table has doubled: constant cost per entry, at most twice the living. */
function sweep(): void {
  for (const [text, ref] of shared) if (ref.deref() === undefined) shared.delete(text);
  sweepAt = Math.max(SWEEP_FLOOR, shared.size * 2);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}
