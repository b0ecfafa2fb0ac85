/** Extensions: why tasks wait, and what an operation would do. Both only read. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { type Operation, TASK_STATE } from "../../api/index.js";
import { CAPABILITIES, dryRun } from "../../manager/control/index.js";
import { diffFields, makeTask, planPlacement } from "../../manager/core/index.js";
import { whyNode, whyService, whyTask } from "../../scheduler/index.js";
import { pathRef, type RestContext } from "../context.js";
import { taskName } from "../present/task.js";
import { presentPlan, presentWhy, presentWhyNode } from "../present/why.js";
import { sendJson } from "../reply.js";
import { resolveNode, resolveService, resolveTask } from "../resolve.js";

export function whyRoutes(app: FastifyInstance, context: RestContext): void {
  app.get("/services/:ref/why", async (request, reply) => {
    const view = await context.read();
    const service = resolveService(view, pathRef(request));
    // A further task of the spec, asked about when none of the service waits.
    const probe = makeTask(service, {
      id: "",
      place: { number: 1, nodeId: "", iteration: service.jobIteration },
      desiredState: TASK_STATE.running,
      notBeforeMs: 0,
      nowMs: context.deps.clock.wallMs(),
    });
    const subject = { id: service.id, name: service.spec.Name };
    return sendJson(reply, presentWhy(subject, whyService(view, service, probe)));
  });

  app.get("/tasks/:ref/why", async (request, reply) => {
    const view = await context.read();
    const task = resolveTask(view, pathRef(request));
    const subject = { id: task.id, name: taskName(task) };
    return sendJson(reply, presentWhy(subject, whyTask(view, task)));
  });

  app.get("/nodes/:ref/why", async (request, reply) => {
    const view = await context.read();
    const node = resolveNode(view, pathRef(request));
    const subject = { id: node.id, name: node.spec.Name || (node.description?.Hostname ?? "") };
    return sendJson(reply, presentWhyNode(subject, whyNode(view, node)));
  });
}

/** `?plan=true`: the difference to what is stored, and what becomes of the tasks. Refused with what the operation would be refused with. */
export async function sendPlan(
  context: RestContext,
  reply: FastifyReply,
  operation: Extract<Operation, { kind: "service.create" | "service.update" }>,
): Promise<FastifyReply> {
  const { clock } = context.deps;
  const view = await context.read();
  const { old, next } = dryRun({ store: view, clock, capabilities: CAPABILITIES }, operation);
  const plan = {
    index: old?.versionIndex ?? 0,
    changes: diffFields(old?.spec, next.spec),
    tasks: planPlacement(view, next, clock.wallMs()),
  };
  return sendJson(reply, presentPlan(plan, view));
}
