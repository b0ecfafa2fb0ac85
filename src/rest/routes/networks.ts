import type { FastifyInstance } from "fastify";
import type { Network } from "../../api/index.js";
import { ApiError, doorError, newId } from "../../base/index.js";
import type { StoreView } from "../../store/index.js";
import { bodyOf, pathRef, queryOf, type RestContext } from "../context.js";
import { Filters } from "../filters.js";
import { parseNetworkSpec } from "../parse/network-spec.js";
import { dropNewerFields, NETWORK_DROPS } from "../parse/old-api.js";
import {
  LOCAL_NETWORKS,
  localNetworks,
  type NetworkJson,
  presentNetwork,
  SWARM_NONE,
} from "../present/network.js";
import { presentNetworkUse } from "../present/network-services.js";
import { sendEmpty, sendJson } from "../reply.js";
import { resolveNetwork } from "../resolve.js";

const FILTERS = ["dangling", "driver", "id", "label", "name", "scope", "type"];
const PRUNE_FILTERS = ["label", "label!", "until"];
const NONE: ReadonlySet<string> = new Set();
const KEPT: ReadonlySet<string> = new Set(["FailedPrecondition", "NotFound"]);

export function networkRoutes(app: FastifyInstance, context: RestContext): void {
  const locals = (): readonly NetworkJson[] => localNetworks(context.deps.config.stateDir);

  app.get("/networks", async (request, reply) => {
    const filters = Filters.parse(queryOf(request).text("filters"), FILTERS);
    filters.checkWords("type", ["builtin", "custom"]);
    filters.checkWords("scope", ["local", "swarm", "global"]);
    const view = await viewOrNone(context);
    const all = [...swarmNetworks(view), ...locals()];
    const used = filters.has("dangling") && view ? usedNetworks(view) : NONE;
    return sendJson(
      reply,
      all.filter((network) => matches(network, filters, used)),
    );
  });

  app.get("/networks/:ref", async (request, reply) => {
    const ref = pathRef(request);
    const query = queryOf(request);
    const scope = query.text("scope");
    const isVerbose = query.flag("verbose");
    const local =
      scope === "swarm"
        ? undefined
        : locals().find((network) => network.Name === ref || network.Id === ref);
    if (local !== undefined) return sendJson(reply, local);
    const view = await viewOrNone(context);
    if (view === undefined || scope === "local") {
      throw doorError("NotFound", `network ${ref} not found`);
    }
    if (ref === SWARM_NONE.Name) return sendJson(reply, SWARM_NONE);
    const network = resolveNetwork(view, ref);
    const use = isVerbose ? presentNetworkUse(network, view) : {};
    const { presentContainers } = await import("../present/network-containers.js");
    const Containers = presentContainers(network, view, context.cluster.nodeId);
    return sendJson(reply, { ...presentNetwork(network), Containers, ...use });
  });

  app.post("/networks/create", async (request, reply) => {
    const { cluster } = context;
    const { id } = await cluster.submit({
      kind: "network.create",
      networkId: newId(context.deps.random),
      spec: parseNetworkSpec(
        dropNewerFields(await bodyOf(request), context.versionOf(request.raw), NETWORK_DROPS),
      ),
    });
    // A read, since this manager's own store may be behind; its failure must not hide that the network was made.
    const view = await cluster.read().catch(() => undefined);
    const made = view?.network(id);
    // Not loaded where there is no cluster.
    const { routeWarning } = await import("../../manager/core/index.js");
    const warning = view && made ? routeWarning(made, view.nodes()) : "";
    return sendJson(reply, { Id: id, Warning: warning }, 201);
  });

  app.post("/networks/prune", async (request, reply) => {
    const filters = Filters.parse(queryOf(request).text("filters"), PRUNE_FILTERS);
    const view = await context.read();
    const deleted: string[] = [];
    for (const network of view.networks()) {
      const isMine = !network.predefined && network.spec.Ingress !== true;
      if (!isMine || !isPruned(network, filters)) continue;
      if (await isRemoved(context, network)) deleted.push(network.spec.Name);
    }
    return sendJson(reply, { NetworksDeleted: deleted.length === 0 ? null : deleted });
  });

  app.delete("/networks/:ref", async (request, reply) => {
    const ref = pathRef(request);
    if (Object.hasOwn(LOCAL_NETWORKS, ref)) {
      throw doorError("PermissionDenied", `${ref} is a pre-defined network and cannot be removed`);
    }
    const { cluster } = context;
    const network = resolveNetwork(await cluster.read(), ref);
    await cluster.submit({ kind: "network.remove", networkId: network.id });
    return sendEmpty(reply, 204);
  });
}

/** False for one that is in use, or was removed by somebody else meanwhile. */
async function isRemoved(context: RestContext, network: Network): Promise<boolean> {
  try {
    await context.cluster.submit({ kind: "network.remove", networkId: network.id });
    return true;
  } catch (error) {
    const isKept = error instanceof ApiError && KEPT.has(error.code);
    if (isKept) return false;
    throw error;
  }
}

/** `label!` names what is to stay; `until` keeps what was made after it. */
function isPruned({ spec, createdAtMs }: Network, filters: Filters): boolean {
  const [until] = filters.values("until");
  const isKept = filters.has("label!") && filters.labels("label!", spec.Labels);
  return (
    filters.labels("label", spec.Labels) &&
    !isKept &&
    (until === undefined || createdAtMs < timeOf(until))
  );
}

function timeOf(value: string): number {
  const atMs = /^\d+(?:\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value);
  if (Number.isNaN(atMs)) {
    throw doorError(
      "InvalidArgument",
      `invalid filter 'until=${value}': use a Unix time or RFC 3339`,
    );
  }
  return atMs;
}

/** The cluster's networks where this node is a manager; a worker shows its own alone. */
async function viewOrNone(context: RestContext): Promise<StoreView | undefined> {
  return context.deps.cluster === undefined ? undefined : context.read();
}

/** Without the stand-ins for `bridge` and `host`, which exist only so that services can name them. */
function swarmNetworks(view: StoreView | undefined): readonly NetworkJson[] {
  return (view?.networks() ?? [])
    .filter((network) => !network.predefined || network.spec.Ingress === true)
    .map(presentNetwork);
}

/** By what services name and tasks still hold. */
function usedNetworks(view: StoreView): ReadonlySet<string> {
  const named = view
    .services()
    .flatMap(({ spec }) => (spec.TaskTemplate.Networks ?? []).map(({ Target }) => Target));
  const held = view.tasks().flatMap(({ networks }) => networks.map(({ networkId }) => networkId));
  return new Set([...named, ...held]);
}

function matches(network: NetworkJson, filters: Filters, used: ReadonlySet<string>): boolean {
  const isBuiltin = Object.hasOwn(LOCAL_NETWORKS, network.Name) || network.Ingress;
  const dangling = filters.flag("dangling");
  return (
    filters.exact("driver", network.Driver) &&
    filters.prefix("id", network.Id) &&
    filters.substring("name", network.Name) &&
    filters.exact("scope", network.Scope) &&
    filters.exact("type", isBuiltin ? "builtin" : "custom") &&
    filters.labels("label", network.Labels ?? {}) &&
    (dangling === undefined || dangling === !(isBuiltin || used.has(network.Id)))
  );
}
