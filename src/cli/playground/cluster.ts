import { EngineClient } from "../client.js";
import type { NodePlan } from "./layout.js";
import { nodeAnswers } from "./nodes.js";
import { waitFor } from "./processes.js";

const MEMBERSHIP_LIMIT_MS = 60_000;
const MANAGER_LIMIT_MS = 30_000;

type SwarmInfo = { readonly JoinTokens: { readonly Worker: string; readonly Manager: string } };
type NodeInfo = {
  readonly ID: string;
  readonly Description?: { readonly Hostname?: string };
  readonly Status: { readonly State: string };
  readonly ManagerStatus?: { readonly Reachability: string };
};

/** Forms one cluster the way an operator would: init on the first manager, join on every other node. */
export async function formCluster(
  nodes: readonly NodePlan[],
  say: (line: string) => void,
): Promise<ReadonlyMap<string, string>> {
  const [first, ...others] = nodes;
  if (first === undefined) throw new Error("a cluster needs a manager");
  const leader = new EngineClient(first.socket);
  const before = await nodeAnswers(first);
  if (before.Swarm.LocalNodeState === "inactive") {
    await leader.call<string>("POST", "/swarm/init", {
      body: { ListenAddr: `${first.addr}:2377`, AdvertiseAddr: first.addr },
    });
    say(`${first.name} made the cluster`);
  }
  const tokens = await joinTokens(leader);
  for (const node of others.filter((other) => other.role === "manager")) {
    await joinCluster(node, first, tokens.Manager, say);
  }
  await Promise.all(
    others
      .filter((other) => other.role === "worker")
      .map((node) => joinCluster(node, first, tokens.Worker, say)),
  );
  return await clusterReady(leader, nodes);
}

/** A manager that was just started again refuses calls for a moment; one that cannot run says why when the time is over. */
async function joinTokens(manager: EngineClient): Promise<SwarmInfo["JoinTokens"]> {
  let refusal: unknown;
  const ask = (): Promise<SwarmInfo | undefined> =>
    manager.call<SwarmInfo>("GET", "/swarm").catch((error: unknown) => {
      refusal = error;
      return undefined;
    });
  const swarm = await waitFor("the first manager answers", MANAGER_LIMIT_MS, ask).catch(() => {
    throw refusal;
  });
  return swarm.JoinTokens;
}

async function joinCluster(
  node: NodePlan,
  first: NodePlan,
  token: string,
  say: (line: string) => void,
): Promise<void> {
  if ((await nodeAnswers(node)).Swarm.LocalNodeState !== "inactive") return;
  await new EngineClient(node.socket).call("POST", "/swarm/join", {
    body: {
      ListenAddr: `${node.addr}:2377`,
      AdvertiseAddr: node.addr,
      RemoteAddrs: [`${first.addr}:2377`],
      JoinToken: token,
    },
  });
  say(`${node.name} joined as ${node.role}`);
}

/** Every node ready, every manager reachable. Returns node ids by host name. */
function clusterReady(
  client: EngineClient,
  plans: readonly NodePlan[],
): Promise<ReadonlyMap<string, string>> {
  return waitFor("all nodes of the cluster are ready", MEMBERSHIP_LIMIT_MS, async () => {
    const nodes = await client.call<NodeInfo[]>("GET", "/nodes").catch(() => []);
    const ready = nodes.filter(
      (node) =>
        node.Status.State === "ready" &&
        (node.ManagerStatus === undefined || node.ManagerStatus.Reachability === "reachable"),
    );
    const byName = new Map(ready.map((node) => [node.Description?.Hostname ?? "", node.ID]));
    return plans.every((plan) => byName.has(plan.name)) ? byName : undefined;
  });
}
