/** containerd's codecs, with 64-bit fields as plain numbers. Import them from here only: the switch must come first. */
import "./no-long.js";
import { containerd, google } from "./gen/containerd.js";

export { containerd, google };

export type Any = google.protobuf.Any.$Properties;
export type Mount = containerd.types.Mount.$Properties;
export type Descriptor = containerd.types.Descriptor.$Properties;

/** A JSON document in an Any, as containerd's typeurl writes them. */
export function jsonAny(typeUrl: string, json: string): Any {
  return { type_url: typeUrl, value: Buffer.from(json) };
}

/** Unix ms, or undefined for containerd's zero time (year 1) and for an absent stamp. */
export function timestampMs(
  stamp: google.protobuf.Timestamp.$Properties | null | undefined,
): number | undefined {
  const seconds = stamp?.seconds ?? 0;
  if (seconds <= 0) return undefined;
  return seconds * 1000 + Math.floor((stamp?.nanos ?? 0) / 1e6);
}
