import type { FastifyInstance } from "fastify";
import { ApiError, doorError } from "../../base/index.js";
import type { StoreView } from "../../store/index.js";
import { pathRef, queryOf, type RestContext } from "../context.js";
import { Filters } from "../filters.js";
import {
  LOCAL_NETWORKS,
  localNetworks,
  type NetworkJson,
  presentNetwork,
} from "../present/network.js";
import { sendJson } from "../reply.js";
import { resolveNetwork } from "../resolve.js";

const FILTERS = ["dangling", "driver", "id", "label", "name", "scope", "type"];

export function networkRoutes(app: FastifyInstance, context: RestContext): void {
  const locals = (): readonly NetworkJson[] => localNetworks(context.deps.config.stateDir);

  app.get("/networks", async (request, reply) => {
    const filters = Filters.parse(queryOf(request).text("filters"), FILTERS);
    filters.checkWords("type", ["builtin", "custom"]);
    filters.checkWords("scope", ["local", "swarm", "global"]);
    const all = [...swarmNetworks(await viewOrNone(context)), ...locals()];
    return sendJson(
      reply,
      all.filter((network) => matches(network, filters)),
    );
  });

  app.get("/networks/:ref", async (request, reply) => {
    const ref = pathRef(request);
    const scope = queryOf(request).text("scope");
    const local =
      scope === "swarm"
        ? undefined
        : locals().find((network) => network.Name === ref || network.Id === ref);
    if (local !== undefined) return sendJson(reply, local);
    const view = await viewOrNone(context);
    if (view === undefined || scope === "local") {
      throw doorError("NotFound", `network ${ref} not found`);
    }
    return sendJson(reply, presentNetwork(resolveNetwork(view, ref)));
  });

  app.delete("/networks/:ref", async (request) => {
    const ref = pathRef(request);
    if (Object.hasOwn(LOCAL_NETWORKS, ref)) {
      throw doorError("PermissionDenied", `${ref} is a pre-defined network and cannot be removed`);
    }
    const { spec, predefined } = resolveNetwork(await context.read(), ref);
    if (predefined) {
      throw new ApiError(
        "FailedPrecondition",
        `${spec.Name} is a pre-defined network and cannot be removed`,
      );
    }
    throw doorError("Unimplemented", "DELETE /networks/{id} is not supported yet");
  });
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

function matches(network: NetworkJson, filters: Filters): boolean {
  const isBuiltin = Object.hasOwn(LOCAL_NETWORKS, network.Name) || network.Ingress;
  // Whether something is attached is not known here; only `dangling=false` keeps what every host needs.
  const dangling = filters.flag("dangling");
  return (
    filters.exact("driver", network.Driver) &&
    filters.prefix("id", network.Id) &&
    filters.substring("name", network.Name) &&
    filters.exact("scope", network.Scope) &&
    filters.exact("type", isBuiltin ? "builtin" : "custom") &&
    filters.labels("label", network.Labels ?? {}) &&
    (dangling === undefined || dangling === !isBuiltin)
  );
}
