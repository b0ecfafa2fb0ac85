/** The least that operations must do for tests of the door; the real rules are the manager's and are tested there. */
import type { Node, Operation, Service } from "../../api/index.js";
import { ApiError } from "../../base/index.js";
import type { FakeCluster } from "./fake-cluster.js";

const META = { versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };

export async function execute(operation: Operation, cluster: FakeCluster): Promise<object> {
  const { store } = cluster;
  switch (operation.kind) {
    case "service.create": {
      const { serviceId, spec, registryAuth } = operation;
      if (store.serviceByName(spec.Name) !== undefined) {
        throw new ApiError(
          "AlreadyExists",
          `name conflicts with an existing object: service ${spec.Name} already exists`,
        );
      }
      const service: Service = {
        ...META,
        id: serviceId,
        spec,
        specVersion: store.index + 1,
        previousSpec: undefined,
        previousSpecVersion: 0,
        updateStatus: undefined,
        ports: spec.EndpointSpec?.Ports ?? [],
        registryAuth,
        previousRegistryAuth: "",
        jobIteration: 0,
        lastExecutionMs: 0,
      };
      await cluster.write([{ kind: "putService", service }], true);
      return { id: serviceId, warnings: [] };
    }
    case "service.update": {
      const old = store.service(operation.serviceId);
      if (old === undefined) throw new ApiError("NotFound", "service not found");
      checkVersion(old, operation.version);
      const spec = operation.rollback === "previous" ? old.previousSpec : operation.spec;
      if (spec === undefined) {
        throw new ApiError("FailedPrecondition", `service ${old.id} does not have a previous spec`);
      }
      const service: Service = {
        ...old,
        spec,
        specVersion: store.index + 1,
        previousSpec: old.spec,
        previousSpecVersion: old.specVersion,
        updateStatus:
          operation.rollback === "none"
            ? undefined
            : {
                state: "rollback_started",
                startedAtMs: cluster.nowMs,
                completedAtMs: 0,
                message: "manually requested rollback",
              },
        ports: spec.EndpointSpec?.Ports ?? [],
      };
      await cluster.write([{ kind: "putService", service }], true);
      return { warnings: [] };
    }
    case "service.remove":
      await cluster.write([
        { kind: "delete", table: "service", id: operation.serviceId },
        ...store
          .tasksByService(operation.serviceId)
          .map((task) => ({ kind: "delete", table: "task", id: task.id }) as const),
      ]);
      return {};
    case "node.update": {
      const old = store.node(operation.nodeId);
      if (old === undefined) throw new ApiError("NotFound", "node not found");
      checkVersion(old, operation.version);
      await cluster.write([{ kind: "putNode", node: { ...old, spec: operation.spec } }], true);
      return {};
    }
    case "node.remove":
      await cluster.write([{ kind: "delete", table: "node", id: operation.nodeId }]);
      return {};
    case "cluster.update": {
      const old = store.cluster();
      if (old === undefined) throw new ApiError("NotFound", "cluster not found");
      checkVersion(old, operation.version);
      await cluster.write(
        [{ kind: "putCluster", cluster: { ...old, spec: operation.spec } }],
        true,
      );
      return {};
    }
    case "ca.issue":
    case "raft.join":
    case "raft.leave":
      throw new ApiError("Unimplemented", `the door never submits ${operation.kind}`);
  }
}

function checkVersion(object: Pick<Node, "clientIndex" | "versionIndex">, version: number): void {
  if (version < object.clientIndex || version > object.versionIndex) {
    throw new ApiError("Unknown", "update out of sequence");
  }
}
