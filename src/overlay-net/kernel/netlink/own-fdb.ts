import type { FdbEntry } from "../../core/kernel-model.js";
import type { NetlinkMessage } from "./codec/message.js";
import { decodeFdb, RTM_DELNEIGH, RTM_NEWNEIGH } from "./codec/neighbour.js";

/** More are not kept apart: their notifications would fill the socket before anybody reads them. */
const ENTRIES_MAX = 1_000;

/**
 * FDB entries that this thread wrote in one namespace just now. Of these the kernel tells everybody without saying who did it, so they are
 * known by what they say. A stranger's change to the very same is none: what the kernel holds is what was asked for.
 */
export class OwnFdb {
  readonly #keys = new Set<string>();
  #count = 0;

  add(kind: "replaceFdb" | "removeFdb", entry: FdbEntry, linkIndex: number): void {
    if (++this.#count > ENTRIES_MAX) return;
    const type = kind === "replaceFdb" ? RTM_NEWNEIGH : RTM_DELNEIGH;
    this.#keys.add(keyOf(type, linkIndex, entry));
  }

  /** False when there are too many, or none. */
  get isKnown(): boolean {
    return this.#count > 0 && this.#count <= ENTRIES_MAX;
  }

  has({ type, payload }: NetlinkMessage): boolean {
    if (type !== RTM_NEWNEIGH && type !== RTM_DELNEIGH) return false;
    const entry = decodeFdb(payload);
    return entry !== undefined && this.#keys.has(keyOf(type, entry.linkIndex, entry));
  }
}

function keyOf(
  type: number,
  linkIndex: number,
  { mac, dst }: Pick<FdbEntry, "mac" | "dst">,
): string {
  return `${type} ${linkIndex} ${mac.toLowerCase()} ${dst}`;
}
