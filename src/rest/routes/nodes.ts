import type { FastifyInstance } from "fastify";
import type { Node } from "../../api/index.js";
import { networkProblems } from "../../manager/core/index.js";
import type { NodeUsage } from "../../manager/index.js";
import { nodeGauges } from "../../scheduler/index.js";
import type { StoreView } from "../../store/index.js";
import { bodyOf, pathRef, queryOf, type RestContext } from "../context.js";
import { Filters } from "../filters.js";
import { parseNodeSpec } from "../parse/node-spec.js";
import { presentNode } from "../present/node.js";
import { presentGauges } from "../present/why.js";
import { sendEmpty, sendJson, sendList } from "../reply.js";
import { resolveNode } from "../resolve.js";

const FILTERS = ["id", "label", "node.label", "membership", "name", "role"];

export function nodeRoutes(app: FastifyInstance, context: RestContext): void {
  app.get("/nodes", async (request, reply) => {
    const { cluster } = context;
    const filters = Filters.parse(queryOf(request).text("filters"), FILTERS);
    filters.checkWords("membership", ["accepted", "pending"]);
    filters.checkWords("role", ["worker", "manager"]);
    // Extension: on request only, as it looks at every task.
    const wantsGauges = queryOf(request).flag("resources");
    const view = await cluster.read();
    const object = view.cluster();
    const usages = wantsGauges ? await cluster.nodeUsages() : undefined;
    const nodes = view.nodes().filter((node) => matches(node, filters));
    const problemsOf = networkProblems(view);
    return sendList(reply, nodes, (node) => ({
      ...presentNode(node, object, cluster.reachabilityOf, problemsOf(node)),
      ...(usages === undefined ? {} : gaugesOf(view, node, usages)),
    }));
  });

  app.get("/nodes/:ref", async (request, reply) => {
    const { cluster } = context;
    const view = await cluster.read();
    const node = resolveNode(view, pathRef(request));
    return sendJson(reply, {
      ...presentNode(node, view.cluster(), cluster.reachabilityOf, networkProblems(view)(node)),
      ...gaugesOf(view, node, await cluster.nodeUsages()),
    });
  });

  app.post("/nodes/:ref/update", async (request, reply) => {
    const { cluster } = context;
    const body = await bodyOf(request);
    const version = queryOf(request).version("node");
    const spec = parseNodeSpec(body);
    const node = resolveNode(await cluster.read(), pathRef(request));
    await context.submit(request, { kind: "node.update", nodeId: node.id, version, spec });
    return sendEmpty(reply);
  });

  app.delete("/nodes/:ref", async (request, reply) => {
    const { cluster } = context;
    const force = queryOf(request).flag("force");
    const node = resolveNode(await cluster.read(), pathRef(request));
    await context.submit(request, { kind: "node.remove", nodeId: node.id, force });
    return sendEmpty(reply);
  });
}

function gaugesOf(view: StoreView, node: Node, usages: ReadonlyMap<string, NodeUsage>) {
  const gauges = nodeGauges(node, view.tasksByNode(node.id));
  return { SwarmResources: presentGauges(gauges, usages.get(node.id)) };
}

function matches(node: Node, filters: Filters): boolean {
  const name = node.spec.Name ?? "";
  return (
    filters.prefix("id", node.id) &&
    (filters.prefix("name", node.description?.Hostname ?? "") ||
      (name !== "" && filters.prefix("name", name))) &&
    filters.exact("role", node.spec.Role) &&
    // Every stored node is accepted: requests wait nowhere.
    filters.exact("membership", "accepted") &&
    filters.labels("label", node.description?.Engine.Labels) &&
    filters.labels("node.label", node.spec.Labels)
  );
}
