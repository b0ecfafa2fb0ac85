import { access, constants, mkdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { ClientError, EngineClient } from "../client.js";
import { formCluster } from "./cluster.js";
import { startContainerd } from "./containerd.js";
import { DEMO_IMAGE, demoImageTar } from "./demo-image.js";
import { makeLan } from "./lan.js";
import { type Layout, type NodePlan, planNodes } from "./layout.js";
import { answersOrEnds, lastWords, startNode } from "./nodes.js";
import { isAlive, waitFor } from "./processes.js";
import { makeRunDir } from "./run-dir.js";
import { type PlaygroundState, readState, writeState } from "./state.js";

const BINARIES = [
  ["containerd", "containerd"],
  ["runc", "runc"],
  ["nft", "nftables"],
  ["ip", "iproute2"],
  ["nsenter", "util-linux"],
  ["busybox", "busybox-static"],
] as const;

const ENGINE_LIMIT_MS = 20_000;
const STARTS_MAX = 2;

export type UpOptions = {
  readonly layout: Layout;
  readonly managerCount: number;
  readonly workerCount: number;
  readonly say: (line: string) => void;
};

/** Brings the playground up, or finds that it is. Safe to repeat; what died meanwhile is started again. */
export async function up(options: UpOptions): Promise<void> {
  const { layout, say } = options;
  const plans: readonly NodePlan[] = planNodes(layout, options.managerCount, options.workerCount);
  await checkMachine(layout);
  await makeRunDir(layout);
  await mkdir(layout.stateDir, { recursive: true, mode: 0o711 });
  const before = await readState(layout);
  checkSameShape(before, plans);

  const lan = layout.isSimulated || before !== undefined ? undefined : await makeLan(layout, plans);
  const forwardBefore = before?.forwardBefore ?? lan?.forwardBefore;
  let state: PlaygroundState = {
    nodes: before?.nodes ?? [],
    containerd: before?.containerd,
    forwardBefore,
  };
  await writeState(layout, state);
  if (!layout.isSimulated && (state.containerd === undefined || !isAlive(state.containerd))) {
    state = { ...state, containerd: await startContainerd(layout) };
    await writeState(layout, state);
    say("containerd of the playground runs");
  }
  let missing = plans;
  for (let attempt = 1; missing.length > 0; attempt += 1) {
    const [first] = missing;
    // One that was being killed as it was looked at is started as well; one that ends by itself would end again.
    if (attempt > STARTS_MAX && first !== undefined)
      throw new Error(`swarmd of ${first.name} ended at once:\n${await lastWords(first)}`);
    for (const plan of missing) {
      const known = state.nodes.find((node) => node.name === plan.name);
      if (known !== undefined && isAlive(known.supervisor)) continue;
      const supervisor = await startNode(layout, plan);
      const others = state.nodes.filter((node) => node.name !== plan.name);
      state = {
        ...state,
        nodes: [...others, { ...plan, supervisor, nodeId: known?.nodeId ?? "" }],
      };
      await writeState(layout, state);
    }
    missing = await thatEnded(missing, state);
  }
  say(`${plans.length} swarmd run`);
  const ids = await formCluster(plans, say);
  const nodes = plans.map((plan) => {
    const known = state.nodes.find((node) => node.name === plan.name);
    if (known === undefined) throw new Error(`${plan.name} was not started`);
    return { ...known, nodeId: ids.get(plan.name) ?? known.nodeId };
  });
  await writeState(layout, { ...state, nodes });
  await loadDemoImage(plans, say);
}

/** Rejects when one neither answers nor ends. */
async function thatEnded(plans: readonly NodePlan[], state: PlaygroundState): Promise<NodePlan[]> {
  const outcomes = await Promise.all(
    plans.map(async (plan) => {
      const known = state.nodes.find((node) => node.name === plan.name);
      return known === undefined ? "ended" : answersOrEnds(plan, known.supervisor);
    }),
  );
  return plans.filter((_plan, index) => outcomes[index] === "ended");
}

function checkSameShape(state: PlaygroundState | undefined, plans: readonly NodePlan[]): void {
  const known =
    state?.nodes
      .map((node) => node.name)
      .sort()
      .join(" ") ?? "";
  const wanted = plans
    .map((plan) => plan.name)
    .sort()
    .join(" ");
  if (known !== "" && !wanted.includes(known)) {
    throw new Error(
      `a playground with the nodes ${known} is up already; take it down first: swarm playground down`,
    );
  }
}

async function checkMachine(layout: Layout): Promise<void> {
  if (layout.isSimulated) return;
  if (process.getuid?.() !== 0) {
    throw new Error(
      "the playground makes network namespaces and containers, so it needs root (sudo); as any user: --simulated",
    );
  }
  const path = (process.env["PATH"] ?? "").split(delimiter).concat("/usr/sbin", "/sbin");
  for (const [binary, debianPackage] of BINARIES) {
    const hits = await Promise.all(
      path.map((dir) =>
        access(join(dir, binary), constants.X_OK).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (!hits.includes(true)) {
      throw new Error(
        `${binary} is missing: apt-get install ${debianPackage}; without it: --simulated`,
      );
    }
  }
}

async function loadDemoImage(
  plans: readonly NodePlan[],
  say: (line: string) => void,
): Promise<void> {
  const lacking: NodePlan[] = [];
  for (const plan of plans) {
    // An engine that was just started may not be connected yet: only a plain "no such image" means that it lacks it.
    const has = await waitFor(`the engine of ${plan.name} answers`, ENGINE_LIMIT_MS, () =>
      new EngineClient(plan.socket).call("GET", `/images/${DEMO_IMAGE}/json`).then(
        () => "yes" as const,
        (error: unknown) =>
          error instanceof ClientError && error.status === 404 ? ("no" as const) : undefined,
      ),
    );
    if (has === "no") lacking.push(plan);
  }
  if (lacking.length === 0) return;
  const tar = await demoImageTar();
  await Promise.all(
    lacking.map((plan) =>
      new EngineClient(plan.socket).call<unknown>("POST", "/images/load?quiet=1", {
        stream: slices(tar),
      }),
    ),
  );
  say(
    `image ${DEMO_IMAGE} is on ${lacking.length === plans.length ? "every node" : lacking.map((plan) => plan.name).join(", ")}`,
  );
}

async function* slices(bytes: Buffer): AsyncIterable<Uint8Array> {
  const SLICE_BYTES = 256 * 1024;
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
}
