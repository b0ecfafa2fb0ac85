import { rm } from "node:fs/promises";
import type { NetworkState } from "../core/network-state.js";
import { readChecked, writeChecked } from "../state-file.js";
import type { Port } from "./port-listeners.js";

/** What the plane must remember over a restart of the process: with it, it is at work before anybody tells it anything. */
export type StoredPlane = {
  readonly nodeId: string;
  /** As it was before swarmd came: afterwards it cannot be seen. */
  readonly wasForwarding: boolean;
  /** Absent in a file of an earlier version: it forwarded nothing. */
  readonly wasForwarding6?: boolean;
  /** This node had an IPv6 way out once: containers outside networks may have their part of it. Absent: never. */
  readonly hadDefaultRoute6?: boolean;
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
  async begin(
    nodeId: string,
    isForwarding: (family: 4 | 6) => Promise<boolean>,
  ): Promise<StoredPlane> {
    const stored = await readChecked<StoredPlane>(this.#path);
    if (stored?.nodeId === nodeId) return stored;
    const [wasForwarding, wasForwarding6] = [await isForwarding(4), await isForwarding(6)];
    const fresh = { nodeId, wasForwarding, wasForwarding6, ruledPorts: [] };
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
