import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Service } from "../../api/index.js";
import { doorError, newId } from "../../base/index.js";
import { refuseRebalance } from "../../manager/control/index.js";
import { planRebalancing } from "../../manager/core/index.js";
import { bodyOf, headerOf, pathRef, queryOf, type RestContext } from "../context.js";
import { Filters } from "../filters.js";
import { dropNewerFields, SERVICE_SPEC_DROPS } from "../parse/old-api.js";
import { parseServiceSpec } from "../parse/service-spec.js";
import { proxiedTasks } from "../present/proxied-ports.js";
import { presentRebalancePlan } from "../present/rebalance.js";
import { presentService, type ServiceOptions } from "../present/service.js";
import { presentHistory } from "../present/service-history.js";
import { serviceStatus } from "../present/service-status.js";
import { randomName } from "../random-name.js";
import { sendEmpty, sendJson, sendList } from "../reply.js";
import { resolveService } from "../resolve.js";
import { sendPlan } from "./why.js";

const FILTERS = ["id", "label", "mode", "name", "runtime"];

export function serviceRoutes(app: FastifyInstance, context: RestContext): void {
  const engine: ServiceOptions =
    context.deps.config.engine === "simulated" ? { engine: "simulated" } : {};

  app.get("/services", async (request, reply) => {
    const query = queryOf(request);
    const filters = Filters.parse(query.text("filters"), FILTERS);
    const wantsStatus = !context.isBelow(request, "1.41") && query.strictFlag("status");
    const view = await context.read();
    const services = view.services().filter((service) => matches(service, filters));
    const proxied = proxiedTasks(view.nodes());
    return sendList(reply, services, (service) =>
      presentService(service, {
        ...engine,
        ...{ networks: view, proxied },
        ...(wantsStatus ? { status: serviceStatus(service, view.tasksByService(service.id)) } : {}),
      }),
    );
  });

  app.post("/services/create", async (request, reply) => {
    const spec = await specOf(context, request);
    const operation = {
      kind: "service.create",
      serviceId: newId(context.deps.random),
      spec: spec.Name === "" ? { ...spec, Name: randomName(context.deps.random) } : spec,
      registryAuth: headerOf(request, "x-registry-auth"),
    } as const;
    if (queryOf(request).flag("plan")) return sendPlan(context, reply, operation);
    const { id, warnings } = await context.submit(request, operation);
    return sendJson(reply, { ID: id, Warnings: warnings.length === 0 ? null : warnings }, 201);
  });

  app.get("/services/:ref", async (request, reply) => {
    const insertDefaults = queryOf(request).strictFlag("insertDefaults");
    const view = await context.read();
    const service = resolveService(view, pathRef(request));
    const proxied = proxiedTasks(view.nodes());
    const shown = { ...engine, networks: view, proxied, insertDefaults };
    return sendJson(reply, presentService(service, shown));
  });

  app.post("/services/:ref/update", async (request, reply) => {
    const { cluster } = context;
    const query = queryOf(request);
    const spec = await specOf(context, request);
    const version = query.version("service");
    const rollback = wordOf(query.text("rollback"), ["none", "previous"], "rollback");
    const registryAuthFrom = wordOf(
      query.text("registryAuthFrom"),
      ["spec", "previous-spec"],
      "registryAuthFrom",
    );
    const service = resolveService(await cluster.read(), pathRef(request));
    const registryAuth = headerOf(request, "x-registry-auth");
    const operation = {
      kind: "service.update",
      serviceId: service.id,
      version,
      spec,
      rollback,
      registryAuth: registryAuth === "" ? undefined : registryAuth,
      registryAuthFrom,
    } as const;
    if (query.flag("plan")) return sendPlan(context, reply, operation);
    const { warnings } = await context.submit(request, operation);
    return sendJson(reply, { Warnings: warnings.length === 0 ? null : warnings });
  });

  app.get("/services/:ref/history", async (request, reply) => {
    const view = await context.read();
    const service = resolveService(view, pathRef(request));
    return sendJson(reply, presentHistory(service, view));
  });

  app.post("/services/:ref/rollback", async (request, reply) => {
    const { cluster } = context;
    const query = queryOf(request);
    const version = query.version("service");
    const to = query.version("service", "to");
    const service = resolveService(await cluster.read(), pathRef(request));
    const { warnings } = await cluster.submit({
      kind: "service.rollback",
      serviceId: service.id,
      version,
      to,
    });
    return sendJson(reply, { Warnings: warnings.length === 0 ? null : warnings });
  });

  app.post("/services/:ref/rebalance", async (request, reply) => {
    const query = queryOf(request);
    const version = query.version("service");
    const view = await context.cluster.read();
    const service = resolveService(view, pathRef(request));
    refuseRebalance(service);
    const plan = planRebalancing(view, service);
    if (!query.flag("plan"))
      await context.submit(request, { kind: "service.rebalance", serviceId: service.id, version });
    return sendJson(reply, presentRebalancePlan(plan, view));
  });

  app.delete("/services/:ref", async (request, reply) => {
    const { cluster } = context;
    const service = resolveService(await cluster.read(), pathRef(request));
    await context.submit(request, { kind: "service.remove", serviceId: service.id });
    return sendEmpty(reply);
  });
}

async function specOf(context: RestContext, request: FastifyRequest) {
  const body = await bodyOf(request);
  return parseServiceSpec(
    dropNewerFields(body, context.versionOf(request.raw), SERVICE_SPEC_DROPS),
  );
}

/** One of two words; absent means the first. */
function wordOf<const W extends string>(
  value: string,
  words: readonly [W, ...W[]],
  name: string,
): W {
  if (value === "") return words[0];
  const found = words.find((word) => word === value);
  if (found === undefined) {
    throw doorError("InvalidArgument", `invalid ${name} '${value}': use ${words.join(" or ")}`);
  }
  return found;
}

function matches(service: Service, filters: Filters): boolean {
  const { spec } = service;
  const runtime = spec.TaskTemplate.Runtime;
  return (
    filters.prefix("id", service.id) &&
    filters.prefix("name", spec.Name) &&
    filters.labels("label", spec.Labels) &&
    filters.exact("mode", modeWord(service)) &&
    (filters.has("runtime") ? filters.exact("runtime", runtime) : runtime === "container")
  );
}

function modeWord(service: Service): string {
  const { Mode: mode } = service.spec;
  if ("Replicated" in mode) return "replicated";
  if ("Global" in mode) return "global";
  return "ReplicatedJob" in mode ? "replicated-job" : "global-job";
}
