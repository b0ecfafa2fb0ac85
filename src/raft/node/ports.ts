import type { Disk } from "../wal/disk.js";
import { NodeDisk } from "../wal/node-disk.js";

/** What a simulation replaces besides the ports in RaftOptions. */
export type RaftPorts = {
  readonly disk: Disk;
  /**
   * Runs the callback after the events waiting now. All that arrives until then shares one batch; a timer
   * that fired late is handled after the messages that waited with it.
   */
  readonly defer: (callback: () => void) => void;
};

export function nodePorts(): RaftPorts {
  return { disk: new NodeDisk(), defer: (callback) => void setImmediate(callback) };
}
