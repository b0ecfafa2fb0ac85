import { rm } from "node:fs/promises";
import type { NetworkState } from "../core/network-state.js";
import { readChecked, writeChecked } from "../state-file.js";
import type { Port } from "./port-listeners.js";

/** What the plane must remember over a restart of the process: with it, it is at work before anybody tells it anything. */
export type StoredPlane = {
  readonly nodeId: string;
  /** As it was before swarmd came: afterwards it cannot be seen. */
  readonly wasForwarding: boolean;
  /** Published ports that have a rule. */
  readonly ruledPorts: readonly Port[];
  /** What the managers said last; absent before the first time. */
  readonly state?: NetworkState;
};

/** Lives in the run directory: a reboot forgets it together with the kernel's state. */
export class PlaneFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Of this node; begun anew when there is none, or when it is damaged: then before anything makes the host forward. */
  async begin(nodeId: string, isForwarding: () => Promise<boolean>): Promise<StoredPlane> {
    const stored = await readChecked<StoredPlane>(this.#path);
    if (stored?.nodeId === nodeId) return stored;
    const fresh = { nodeId, wasForwarding: await isForwarding(), ruledPorts: [] };
    await this.write(fresh);
    return fresh;
  }

  /** Whether the node was ever told of networks, or nobody knows: then there may be something of them. */
  async hasNetworks(nodeId: string): Promise<boolean> {
    const stored = await readChecked<StoredPlane>(this.#path);
    return stored?.nodeId !== nodeId || stored.state !== undefined;
  }

  write(plane: StoredPlane): Promise<void> {
    return writeChecked(this.#path, plane);
  }

  remove(): Promise<void> {
    return rm(this.#path, { force: true });
  }
}
