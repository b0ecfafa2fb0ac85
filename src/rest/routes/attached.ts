/** Extension: containers outside services, on attachable networks. They are tasks of no service, made for one node. */
import type { FastifyInstance } from "fastify";
import { containerTaskOf, type Task } from "../../api/index.js";
import { doorError, newId } from "../../base/index.js";
import type { StoreView } from "../../store/index.js";
import { bodyOf, pathRef, queryOf, type RestContext } from "../context.js";
import { parseServiceSpec } from "../parse/service-spec.js";
import { randomName } from "../random-name.js";
import { sendEmpty, sendJson } from "../reply.js";
import { resolveNode, resolveTask } from "../resolve.js";

export function attachedRoutes(app: FastifyInstance, context: RestContext): void {
  /** `{Name, TaskTemplate}` as of a service; `node`: where, by default here. */
  app.post("/tasks/create", async (request, reply) => {
    const { Name, TaskTemplate, ...others } = parseServiceSpec(await bodyOf(request));
    // The parser gives every service a mode and labels.
    const { Mode: _mode, Labels: labels, ...refused } = others;
    const [field] = Object.keys(labels).length > 0 ? ["Labels"] : Object.keys(refused);
    if (field !== undefined)
      throw doorError("Unimplemented", `container run: field ${field} belongs to services`);
    const view = await context.read();
    const ref = queryOf(request).text("node");
    const node = ref === "" ? view.node(context.cluster.nodeId) : resolveNode(view, ref);
    const { id } = await context.submit(request, {
      kind: "container.run",
      taskId: newId(context.deps.random),
      nodeId: node?.id ?? context.cluster.nodeId,
      name: Name === "" ? randomName(context.deps.random) : Name,
      spec: TaskTemplate,
    });
    return sendJson(reply, { ID: id }, 201);
  });

  app.delete("/tasks/:ref", async (request, reply) => {
    const ref = pathRef(request);
    const view = await context.read();
    const task = containerNamed(view, ref) ?? resolveTask(view, ref);
    await context.submit(request, { kind: "container.remove", taskId: task.id });
    return sendEmpty(reply, 204);
  });
}

function containerNamed(view: StoreView, name: string): Task | undefined {
  return view
    .tasks()
    .findLast(
      (task) =>
        task.serviceId === "" && task.serviceName === name && containerTaskOf(task) === undefined,
    );
}
