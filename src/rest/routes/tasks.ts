import type { FastifyInstance } from "fastify";
import { TASK_STATE, type Task } from "../../api/index.js";
import type { StoreView } from "../../store/index.js";
import { pathRef, queryOf, type RestContext } from "../context.js";
import { Filters } from "../filters.js";
import { presentTask, taskName, taskStateName } from "../present/task.js";
import { sendJson, sendList } from "../reply.js";
import { resolveNode, resolveService, resolveTask } from "../resolve.js";
import { isUpToDate } from "../up-to-date.js";

const FILTERS = [
  "id",
  "label",
  "name",
  "node",
  "service",
  "desired-state",
  "runtime",
  "_up-to-date",
];

export function taskRoutes(app: FastifyInstance, context: RestContext): void {
  app.get("/tasks", async (request, reply) => {
    const { cluster } = context;
    const filters = Filters.parse(queryOf(request).text("filters"), FILTERS);
    filters.checkWords("desired-state", Object.keys(TASK_STATE));
    const view = await cluster.read();
    return sendList(reply, select(view, filters), (task) => presentTask(task, view));
  });

  app.get("/tasks/:ref", async (request, reply) => {
    const view = await context.read();
    return sendJson(reply, presentTask(resolveTask(view, pathRef(request)), view));
  });
}

/** An unknown service or node in a filter is a 404, not an empty list. */
function select(view: StoreView, filters: Filters): readonly Task[] {
  const serviceIds = filters.values("service").map((ref) => resolveService(view, ref).id);
  const nodeIds = new Set(filters.values("node").map((ref) => resolveNode(view, ref).id));
  const upToDate = filters.flag("_up-to-date");
  const candidates = filters.has("service")
    ? [...new Set(serviceIds)].flatMap((id) => view.tasksByService(id))
    : view.tasks();
  return candidates.filter((task) => {
    const { Runtime: runtime } = task.spec;
    return (
      filters.prefix("id", task.id) &&
      (!filters.has("name") || filters.prefix("name", taskName(task))) &&
      (nodeIds.size === 0 || nodeIds.has(task.nodeId)) &&
      filters.exact("desired-state", taskStateName(task.desiredState)) &&
      (filters.has("runtime") ? filters.exact("runtime", runtime) : runtime === "container") &&
      (!filters.has("label") ||
        filters.labels("label", view.service(task.serviceId)?.spec.Labels ?? {})) &&
      (upToDate !== true || isUpToDate(task, view))
    );
  });
}
