import { tmpdir } from "node:os";

/** Where a playground lives and what everything in it is called. `down` removes these and nothing else. */
export type Layout = {
  readonly isSimulated: boolean;
  readonly runDir: string;
  readonly stateDir: string;
  readonly stateFile: string;
  /** Link name of the underlay bridge; "" when simulated. */
  readonly bridge: string;
  readonly containerdSocket: string;
  readonly netnsPrefix: string;
  readonly nftTable: string;
  readonly cgroupParent: string;
};

export type NodePlan = {
  readonly name: string;
  readonly role: "manager" | "worker";
  readonly addr: string;
  readonly netns: string;
  readonly stateDir: string;
  readonly runDir: string;
  readonly socket: string;
  readonly logFile: string;
  readonly containerdNamespace: string;
};

/** A /24 holds what one machine can run. */
const MANAGERS_MAX = 7;
const WORKERS_MAX = 20;
export const UNDERLAY = "10.99.0";
export const GATEWAY = `${UNDERLAY}.1`;
/** Its own: a bridge without one changes its address with its ports, and the nodes lose this machine until they have asked for it anew. */
export const GATEWAY_MAC = "02:42:0a:63:00:01";
export const OUTSIDE_ADDR = `${UNDERLAY}.100`;
export const OUTSIDE_NETNS = "swarmpg-outside";

export const REAL_LAYOUT: Layout = {
  isSimulated: false,
  runDir: "/run/swarm-playground",
  stateDir: "/var/lib/swarm-playground",
  stateFile: "/run/swarm-playground/playground.json",
  bridge: "swarmpg0",
  containerdSocket: "/run/swarm-playground/containerd.sock",
  netnsPrefix: "swarmpg-",
  nftTable: "swarm_playground",
  cgroupParent: "/swarm-playground",
};

export function simulatedLayout(): Layout {
  const base = `${tmpdir()}/swarm-playground-${process.getuid?.() ?? 0}`;
  return {
    ...REAL_LAYOUT,
    isSimulated: true,
    runDir: `${base}/run`,
    stateDir: `${base}/state`,
    stateFile: `${base}/run/playground.json`,
    bridge: "",
    containerdSocket: "",
  };
}

export function planNodes(layout: Layout, managerCount: number, workerCount: number): NodePlan[] {
  if (![1, 3, 5, 7].includes(managerCount)) {
    throw new Error(
      `--managers ${managerCount}: use 1, 3, 5 or 7 (at most ${MANAGERS_MAX}), an odd number keeps a majority`,
    );
  }
  if (!Number.isInteger(workerCount) || workerCount < 0 || workerCount > WORKERS_MAX) {
    throw new Error(`--workers ${workerCount}: use 0 to ${WORKERS_MAX}`);
  }
  const managers = Array.from({ length: managerCount }, (_, i) =>
    planNode(layout, "manager", i + 1),
  );
  const workers = Array.from({ length: workerCount }, (_, i) => planNode(layout, "worker", i + 1));
  return [...managers, ...workers];
}

function planNode(layout: Layout, role: NodePlan["role"], number: number): NodePlan {
  const name = `${role === "manager" ? "m" : "w"}${number}`;
  const last = (role === "manager" ? 10 : 20) + number;
  return {
    name,
    role,
    addr: layout.isSimulated ? `127.0.99.${last}` : `${UNDERLAY}.${last}`,
    netns: layout.isSimulated ? "" : `${layout.netnsPrefix}${name}`,
    stateDir: `${layout.stateDir}/${name}`,
    runDir: `${layout.runDir}/${name}`,
    socket: `${layout.runDir}/${name}/swarm.sock`,
    logFile: `${layout.stateDir}/${name}.log`,
    containerdNamespace: `swarmpg-${name}`,
  };
}
