/** `/networks/{id}/connect` and `/disconnect` for containers of this node (docs/adr/0018). */
import type { FastifyInstance } from "fastify";
import { TASK_STATE } from "../../api/index.js";
import { ApiError, doorError, newId } from "../../base/index.js";
import { isTerminal, taskName } from "../core/task/types.js";
import { containerIdOf, type TaskRunner } from "../tasks/index.js";
import { connectionOptions, containerRef, isForced } from "./connection-body.js";
import { findContainer } from "./container-routes.js";
import { runView } from "./container-view.js";
import type { HttpContext } from "./context.js";

/** From the managers' word to the link, its announcement included; and from there back, with its drain. */
const SETTLE_MAX_MS = 20_000;
/** Networks that no container can be put on besides those of its start, with what the Engine says. */
const CONFLICTS: ReadonlyMap<string, string> = new Map([
  ["host", "container cannot be disconnected from host network or connected to host network"],
  [
    "none",
    "container cannot be connected to multiple networks with one of the networks in private (none) mode",
  ],
]);
const SHARED =
  "container sharing network namespace with another container or host cannot be connected to any other network";

type Route = { readonly Params: { readonly ref: string }; readonly Body: unknown };

export function addConnectionRoutes(app: FastifyInstance, context: HttpContext): void {
  app.post<Route>("/networks/:ref/connect", async ({ params, body }, reply) => {
    const { ref } = params;
    const runner = findContainer(context, containerRef(body));
    const options = connectionOptions(body);
    checkConnectable(context, runner, ref);
    const { assignment } = runner.record;
    const name = taskName(assignment, context.node().nodeId);
    const { signal } = new AbortController();
    const taskIds = await context.connections
      .connect(
        {
          taskId: newId(context.random),
          containerTaskId: assignment.taskId,
          containerId: containerIdOf(assignment.taskId),
          containerName: name,
          network: ref,
          ...options,
        },
        signal,
      )
      .catch((error: unknown) => {
        throw notAttached(error, ref);
      });
    for (const taskId of taskIds) await connected(context, taskId, name, ref);
    return reply.code(200).send();
  });

  app.post<Route>("/networks/:ref/disconnect", async ({ params, body }, reply) => {
    const { ref } = params;
    const force = isForced(body);
    const container = knownId(context, containerRef(body), force);
    const conflict = CONFLICTS.get(ref);
    if (conflict !== undefined) throw doorError("InvalidArgument", conflict);
    if (ref === "bridge")
      throw doorError("Unimplemented", `network disconnect: leaving ${ref} is not supported yet`);
    const { signal } = new AbortController();
    const taskIds = await context.connections.disconnect(container, ref, signal);
    if (force) for (const taskId of taskIds) context.tasks.runner(taskId)?.hurry();
    await Promise.all(taskIds.map((taskId) => disconnected(context, taskId, container, ref)));
    return reply.code(200).send();
  });
}

/** With force a container may be gone: what the cluster still knows of it ends. */
function knownId(context: HttpContext, reference: string, force: boolean): string {
  try {
    return containerIdOf(findContainer(context, reference).record.assignment.taskId);
  } catch (error) {
    if (force && error instanceof ApiError && error.code === "NotFound") return reference;
    throw error;
  }
}

/** What only this node knows; the rest is judged by the managers. */
function checkConnectable(context: HttpContext, runner: TaskRunner, ref: string): void {
  const { record } = runner;
  const name = taskName(record.assignment, context.node().nodeId);
  const mode = record.attachment?.mode;
  const conflict =
    CONFLICTS.get(ref) ??
    (mode === "host" ? SHARED : mode === "none" ? CONFLICTS.get("none") : undefined);
  if (conflict !== undefined) throw doorError("InvalidArgument", conflict);
  if (ref === "bridge")
    throw doorError(
      "PermissionDenied",
      `endpoint with name ${name} already exists in network bridge`,
    );
  if (runView(runner).state !== "running")
    throw doorError("FailedPrecondition", `container ${name} is not running`, { http: 409 });
}

/** Resolves when the container has its link, known to the other nodes or after the bounded wait for them. */
async function connected(
  context: HttpContext,
  taskId: string,
  name: string,
  network: string,
): Promise<void> {
  const isDone = (): boolean =>
    (context.tasks.runner(taskId)?.record.status.state ?? 0) >= TASK_STATE.running;
  const isInTime = await settled(context, isDone);
  const status = context.tasks.runner(taskId)?.record.status;
  if (status?.state === TASK_STATE.running) return;
  // Told that it failed, nobody expects it to come later.
  const { signal } = new AbortController();
  await context.connections.disconnect(taskId, network, signal).catch(() => undefined);
  throw new ApiError(
    isInTime ? "Aborted" : "DeadlineExceeded",
    `attaching container ${name} to network ${network} failed: ${status?.err || `it has no link after ${SETTLE_MAX_MS / 1000} s`}`,
  );
}

/** Resolves when the link is gone. */
async function disconnected(
  context: HttpContext,
  taskId: string,
  container: string,
  network: string,
): Promise<void> {
  const isDone = (): boolean => {
    const record = context.tasks.runner(taskId)?.record;
    return record === undefined || (isTerminal(record.status.state) && !record.hasNetwork);
  };
  if (await settled(context, isDone)) return;
  throw new ApiError(
    "DeadlineExceeded",
    `container ${container} is still on network ${network} after ${SETTLE_MAX_MS / 1000} s; it is taken off as soon as that is possible`,
  );
}

/** Looks again whenever a task's status changes. False: it took too long. */
function settled({ tasks, clock }: HttpContext, isDone: () => boolean): Promise<boolean> {
  if (isDone()) return Promise.resolve(true);
  return new Promise((resolve) => {
    const look = (): void => {
      if (isDone()) finish(true);
    };
    const finish = (isInTime: boolean): void => {
      stopTimer();
      stopStatus();
      stopErased();
      resolve(isInTime);
    };
    const stopStatus = tasks.onStatus(look);
    const stopErased = tasks.onErased(look);
    const stopTimer = clock.setTimer(SETTLE_MAX_MS, () => finish(isDone()));
  });
}

/** What comes from behind the control plane, in the Engine's words. */
function notAttached(error: unknown, network: string): unknown {
  if (!(error instanceof ApiError) || error.origin !== "cluster") return error;
  const text = `Could not attach to network ${network}: ${error.restMessage}`;
  return doorError(error.code, text, { http: error.http, cause: error });
}
