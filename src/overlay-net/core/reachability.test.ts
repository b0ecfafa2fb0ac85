/** What one node programs is exactly what the tasks of the others need. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { endpointMac } from "./address-text.js";
import { desiredState } from "./desired.js";
import type { NetnsState } from "./kernel-model.js";
import { nodeNames, sandboxNetns } from "./names.js";
import {
  anyCluster,
  dataPathAddrOf,
  endpointsOf,
  inputOf,
  netnsOfTask,
  nodeIdOf,
} from "./testing/random-cluster.js";

function byNetns(states: readonly NetnsState[]): ReadonlyMap<string, NetnsState> {
  return new Map(states.map((state) => [state.netns, state]));
}

test("a pair of tasks is connected on a network exactly when both are on it, by the right MAC and VTEP", () => {
  fc.assert(
    fc.property(anyCluster, (cluster) => {
      const nodes = Array.from({ length: cluster.nodeCount }, (_, i) => i);
      const planned = nodes.map((node) => byNetns(desiredState(inputOf(cluster, node))));
      const endpoints = endpointsOf(cluster);
      const nodeOf = (id: string) => nodes.find((node) => nodeIdOf(node) === id) ?? -1;
      for (const from of endpoints) {
        const here = nodeOf(from.nodeId);
        const names = nodeNames(from.nodeId);
        const sandbox = planned[here]?.get(sandboxNetns(names, from.networkId));
        const ownMac = endpointMac(from.address, from.address6);
        const port = sandbox?.links.find(({ peer }) => peer?.link.mac === ownMac);
        expect(port?.peer?.netns).toBe(netnsOfTask(here, from.taskId));
        for (const to of endpoints) {
          const mac = endpointMac(to.address, to.address6);
          const isRemote = to.nodeId !== from.nodeId;
          const isReached = isRemote && to.networkId === from.networkId;
          const dst = sandbox?.fdb
            .filter((e) => e.mac === mac)
            .map((e) => e.dst)
            .sort();
          expect(dst).toEqual(isReached ? ["", dataPathAddrOf(nodeOf(to.nodeId))] : []);
          const addresses = [to.address, to.address6].filter((address) => address !== "").sort();
          const known = sandbox?.neighbours.filter((n) => n.mac === mac).map((n) => n.address);
          expect([...(known ?? [])].sort()).toEqual(isReached ? addresses : []);
        }
      }
    }),
    { numRuns: 15 },
  );
});

test("a client's virtual addresses are those of its networks, and lead to the backends there on nodes that are up", () => {
  fc.assert(
    fc.property(anyCluster, (cluster) => {
      const endpoints = endpointsOf(cluster);
      const isUp = ({ nodeId }: { readonly nodeId: string }) =>
        !cluster.downNodes.some((node) => nodeIdOf(node) === nodeId);
      for (const { nodeId, taskId } of endpoints) {
        const node = cluster.tasks[Number(taskId.slice(4))]?.node ?? -1;
        const state = byNetns(desiredState(inputOf(cluster, node))).get(netnsOfTask(node, taskId));
        const text = state?.tables.find(({ name }) => name.endsWith("_vip"))?.text ?? "";
        const own = endpoints.filter((e) => e.taskId === taskId && e.nodeId === nodeId);
        const networks = own.map((e) => e.networkId).filter((id) => id !== "ingress");
        const reached = endpoints
          .filter((e) => networks.includes(e.networkId) && e.isBackend && isUp(e))
          .map((e) => e.address);
        const programmed = text.match(/10\.10[12]\.1\.\d+/g) ?? [];
        expect([...new Set(programmed)].sort()).toEqual(reached.sort());
      }
    }),
    { numRuns: 15 },
  );
});

test("no address of ingress is in a route of the host's main table, and every mesh port leads to backends or refuses", () => {
  fc.assert(
    fc.property(anyCluster, (cluster) => {
      const host = byNetns(desiredState(inputOf(cluster, 0))).get("");
      expect(host?.routes.filter(({ table }) => table === 254)).toEqual([]);
      expect(
        host?.addresses
          .filter((a) => a.link.startsWith("swin"))
          .every((a) => /\/(32|128)$/.test(a.address)),
      ).toBe(true);
      const mesh = host?.tables.find(({ name }) => name.endsWith("_mesh"))?.text ?? "";
      for (const port of [8000, 8001]) {
        const isServed = mesh.includes(`tcp . ${port} : goto p4_tcp_${port}`);
        const isRefused = new RegExp(`nfproto ipv4 .*tcp \\. ${port}\\b.*jump refuse`).test(mesh);
        expect(isServed).toBe(!isRefused);
      }
      // Its listener could not be bound: somebody else's port.
      expect(mesh).not.toContain("8002");
    }),
    { numRuns: 10 },
  );
});
