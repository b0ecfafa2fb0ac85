/** /containers: list, inspect, stop and kill. */
import type { FastifyInstance } from "fastify";
import { doorError } from "../../base/index.js";
import {
  isTrue,
  matchesAny,
  matchesLabels,
  matchesName,
  parseFilters,
} from "../core/filter/filters.js";
import { taskName } from "../core/task/types.js";
import { signalNumber } from "../engine/index.js";
import { containerIdOf, containerLabels, type TaskRunner } from "../tasks/index.js";
import {
  containerDetail,
  containerSummary,
  hasContainer,
  networkNames,
  runView,
  type ViewContext,
} from "./container-view.js";
import type { HttpContext } from "./context.js";
import { noSuchContainer } from "./errors.js";

const FILTER_KEYS = new Set([
  "id",
  "name",
  "label",
  "status",
  "is-task",
  "ancestor",
  "health",
  "network",
  "exited",
]);
const DEFAULT_GRACE_MS = 10_000;

type Query = Readonly<Record<string, string | undefined>>;

/** Finds a task's container by full id, unique beginning of container or task id, or by name. */
export function findContainer(context: HttpContext, ref: string): TaskRunner {
  const name = ref.replace(/^\//, "");
  const runners = context.tasks.runners().filter((runner) => hasContainer(runner.record));
  const nodeId = context.node().nodeId;
  const exact = runners.find(({ record: { assignment } }) => {
    const { taskId } = assignment;
    return taskId === ref || containerIdOf(taskId) === ref || taskName(assignment, nodeId) === name;
  });
  if (exact !== undefined) return exact;
  const found = runners.filter(({ record: { assignment } }) => {
    return assignment.taskId.startsWith(ref) || containerIdOf(assignment.taskId).startsWith(ref);
  });
  const [first, second] = found;
  if (ref === "" || first === undefined) throw noSuchContainer(ref);
  if (second !== undefined) {
    throw doorError("InvalidArgument", `Multiple IDs found with provided prefix: ${ref}`);
  }
  return first;
}

export function viewContext(context: HttpContext): ViewContext {
  return {
    attachmentsOf: (taskId) => context.tasks.attachmentsOf(taskId).map(({ record }) => record),
    node: context.node(),
    nowMs: context.clock.wallMs(),
    store: context.store,
    volumeRoot: context.volumeRoot,
  };
}

export function addContainerRoutes(app: FastifyInstance, context: HttpContext): void {
  app.get<{ Querystring: Query }>("/containers/json", (request) => {
    const { all, limit, filters } = request.query;
    const matches = containerFilter(context, filters ?? "");
    const max = Number(limit ?? "0");
    if (!Number.isInteger(max)) {
      throw doorError("InvalidArgument", `limit ${limit} is not a number`);
    }
    const isFiltered = /"(status|exited)"/.test(filters ?? "");
    const isAll = isTrue(all ?? "") || max > 0 || isFiltered;
    const view = viewContext(context);
    const list = context.tasks
      .runners()
      .filter((runner) => hasContainer(runner.record))
      .filter((runner) => isAll || runView(runner).state === "running")
      .filter(matches)
      .sort((a, b) => b.record.createdAtMs - a.record.createdAtMs);
    return list.slice(0, max > 0 ? max : undefined).map((runner) => containerSummary(runner, view));
  });

  app.get<{ Params: { id: string } }>("/containers/:id/json", (request) => {
    return containerDetail(findContainer(context, request.params.id), viewContext(context));
  });

  app.post<{ Params: { id: string }; Querystring: Query }>(
    "/containers/:id/kill",
    async (request, reply) => {
      const { record } = findContainer(context, request.params.id);
      const signal = request.query["signal"] || "SIGKILL";
      await context.engine.kill(record.assignment.taskId, signal);
      context.tasks.events.note(record, "kill", { signal: String(signalNumber(signal)) });
      return reply.code(204).send();
    },
  );

  app.post<{ Params: { id: string }; Querystring: Query }>(
    "/containers/:id/stop",
    async (request, reply) => {
      const runner = findContainer(context, request.params.id);
      if (runView(runner).state !== "running") return reply.code(304).send();
      const { assignment, image } = runner.record;
      const { t, signal } = request.query;
      const graceMs = t === undefined ? DEFAULT_GRACE_MS : Number(t) * 1_000;
      if (!Number.isFinite(graceMs) || graceMs < 0) {
        throw doorError("InvalidArgument", `t ${t} is not a number of seconds`);
      }
      const signalName =
        signal || assignment.spec.ContainerSpec.StopSignal || image?.config.StopSignal || "SIGTERM";
      const never = new AbortController().signal;
      const { events } = context.tasks;
      events.note(runner.record, "kill", { signal: String(signalNumber(signalName)) });
      await context.engine.stop(assignment.taskId, { signalName, graceMs }, never);
      events.note(runner.record, "stop");
      return reply.code(204).send();
    },
  );
}

function containerFilter(context: HttpContext, text: string): (runner: TaskRunner) => boolean {
  const filters = parseFilters(text, FILTER_KEYS);
  const node = context.node();
  return (runner) => {
    const { record } = runner;
    const { assignment, image } = record;
    const run = runView(runner);
    const names =
      filters["network"] === undefined ? [] : networkNames(runner, viewContext(context));
    const health = run.state === "running" ? (run.health ?? "none") : "none";
    return (
      matchesAny(
        filters["id"],
        (id) => containerIdOf(assignment.taskId).startsWith(id) || assignment.taskId.startsWith(id),
      ) &&
      matchesAny(filters["name"], (name) => matchesName(name, taskName(assignment, node.nodeId))) &&
      matchesLabels(filters["label"], containerLabels(assignment, node)) &&
      matchesAny(filters["status"], (status) => status === run.state) &&
      matchesAny(filters["is-task"], (value) => isTrue(value) === (assignment.serviceId !== "")) &&
      matchesAny(
        filters["ancestor"],
        (ref) =>
          ref === assignment.spec.ContainerSpec.Image ||
          `${ref}:latest` === assignment.spec.ContainerSpec.Image ||
          (image !== undefined && (image.id === ref || image.id.startsWith(`sha256:${ref}`))),
      ) &&
      matchesAny(filters["health"], (value) => value === health) &&
      matchesAny(filters["network"], (name) => names.includes(name)) &&
      matchesAny(
        filters["exited"],
        (code) => run.state === "exited" && String(run.exitCode) === code,
      )
    );
  };
}
