/** What every route needs of its surroundings. */
import type { FastifyRequest } from "fastify";
import type { Operation, OperationKind, ResultOf } from "../api/index.js";
import { type ApiError, doorError } from "../base/index.js";
import type { ClusterApi } from "../manager/index.js";
import type { StoreView } from "../store/index.js";
import { API_VERSION_MAX, versionNumber } from "./api-version.js";
import { readJson } from "./body.js";
import type { RestDeps } from "./deps.js";
import { Query } from "./query.js";

export class RestContext {
  readonly deps: RestDeps;
  readonly #versions = new WeakMap<object, string>();

  constructor(deps: RestDeps) {
    this.deps = deps;
  }

  setVersion(request: object, version: string): void {
    this.#versions.set(request, version);
  }

  /** The API version the client speaks. */
  versionOf(request: object): string {
    return this.#versions.get(request) ?? API_VERSION_MAX;
  }

  isBelow(request: FastifyRequest, version: string): boolean {
    return versionNumber(this.versionOf(request.raw)) < versionNumber(version);
  }

  /** The manager in this process; 503 with reason and remedy where there is none. */
  get cluster(): ClusterApi {
    const { cluster } = this.deps;
    // A manager may still run when its certificate has expired, or before a removed one is ended: nobody hears it.
    if (cluster === undefined || this.deps.localState().state === "error")
      throw notManager(this.deps);
    return cluster;
  }

  /** Writes in the name of the client that sent the request. */
  submit<K extends OperationKind>(
    request: FastifyRequest,
    operation: Extract<Operation, { kind: K }>,
  ): Promise<ResultOf<K>> {
    return this.cluster.submit<K>(operation, undefined, headerOf(request, "user-agent"));
  }

  /** Linearizable view of the cluster. */
  read(): Promise<StoreView> {
    return this.cluster.read();
  }
}

/** The one path parameter of a route. */
export function pathRef(request: FastifyRequest): string {
  const { params } = request;
  if (typeof params !== "object" || params === null) return "";
  const values: unknown[] = Object.values(params);
  return typeof values[0] === "string" ? values[0] : "";
}

export function queryOf(request: FastifyRequest): Query {
  return new Query(request.raw.url ?? "");
}

export function bodyOf(request: FastifyRequest): Promise<unknown> {
  return readJson(request.body, request.headers["content-type"]);
}

/** "" when absent. */
export function headerOf(request: FastifyRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === "string" ? value : "";
}

/** Why this node does not answer for the cluster. Clients match on "not a swarm manager" and "needs to be unlocked". */
function notManager(deps: RestDeps): ApiError {
  const local = deps.localState();
  switch (local.state) {
    case "locked":
      return doorError(
        "Unavailable",
        `Swarm is encrypted and needs to be unlocked before it can be used. Please use "docker swarm unlock" to unlock it.${because(local.error)}`,
      );
    case "error":
      return doorError("Unavailable", `This node is not a swarm manager.${because(local.error)}`);
    case "active":
      return doorError(
        "Unavailable",
        local.isManager
          ? `This node is not a swarm manager.${because(local.error === "" ? "The manager on this node is starting; try again in a moment." : local.error)}`
          : "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.",
      );
    case "inactive":
    case "pending":
      return doorError(
        "Unavailable",
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
      );
  }
}

function because(reason: string): string {
  return reason === "" ? "" : ` ${reason}`;
}
