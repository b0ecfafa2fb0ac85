import { EngineClient } from "../client.js";
import { DEMO_IMAGE } from "./demo-image.js";
import type { Layout } from "./layout.js";
import type { Info } from "./nodes.js";
import { childrenOf, isAlive } from "./processes.js";
import { readState } from "./state.js";

export type PlaygroundStatus = {
  readonly image: string;
  readonly bridge: string;
  readonly nodes: readonly {
    readonly name: string;
    readonly role: string;
    readonly addr: string;
    readonly socket: string;
    readonly nodeId: string;
    readonly pids: {
      readonly supervisor: number | null;
      readonly front: number | null;
      readonly worker: number | null;
      readonly net: number | null;
    };
    readonly state: string;
    readonly netns: string;
    readonly containerdNamespace: string;
    readonly stateDir: string;
    readonly logFile: string;
  }[];
};

const STATUS_LIMIT_MS = 3_000;

/** undefined when no playground is up. */
export async function playgroundStatus(layout: Layout): Promise<PlaygroundStatus | undefined> {
  const state = await readState(layout);
  if (state === undefined) return undefined;
  const nodes = await Promise.all(
    [...state.nodes]
      .sort((a, b) => a.name.localeCompare(b.name))
      .map(async (node) => {
        const alive = isAlive(node.supervisor);
        const children = alive ? await childrenOf(node.supervisor.pid) : [];
        const pidOf = (...words: string[]) =>
          children.find((child) => words.some((word) => child.command.includes(word)))?.pid ?? null;
        const info = await new EngineClient(node.socket)
          .call<Info>("GET", "/info", { signal: AbortSignal.timeout(STATUS_LIMIT_MS) })
          .catch(() => undefined);
        return {
          name: node.name,
          role: node.role,
          addr: node.addr,
          socket: node.socket,
          nodeId: node.nodeId,
          pids: {
            supervisor: alive ? node.supervisor.pid : null,
            front: pidOf("node/front-manager.js", "node/front-rest.js"),
            worker: pidOf("worker/main.js"),
            net: pidOf("overlay-net/main.js"),
          },
          state: info?.Swarm.LocalNodeState ?? (alive ? "no answer" : "not running"),
          netns: node.netns,
          containerdNamespace: node.containerdNamespace,
          stateDir: node.stateDir,
          logFile: node.logFile,
        };
      }),
  );
  return { image: DEMO_IMAGE, bridge: layout.bridge, nodes };
}
