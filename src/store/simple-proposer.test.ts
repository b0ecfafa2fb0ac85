import { expect, test } from "vitest";
import { ClusterStore } from "./cluster-store.js";
import { LocalProposer } from "./simple-proposer.js";
import { IDLE_PACE, id, sampleNode, sampleTask, transaction } from "./testing/samples.js";

test("applies during the call and resolves with the index", async () => {
  const store = new ClusterStore(IDLE_PACE);
  const proposer = new LocalProposer(store);
  const done = proposer.propose(
    transaction([{ kind: "putNode", node: sampleNode(1) }], { resultJson: "{}" }),
  );
  expect(store.node(id("n", 1))?.versionIndex).toBe(1);
  await expect(done).resolves.toEqual({ index: 1, resultJson: "{}" });
});

test("a failed precondition rejects with the rejection", async () => {
  const proposer = new LocalProposer(new ClusterStore(IDLE_PACE));
  const precondition = { kind: "exists", table: "node", id: id("n", 1) } as const;
  await expect(
    proposer.propose(transaction([], { preconditions: [precondition] })),
  ).rejects.toMatchObject({
    name: "ProposeError",
    code: "REJECTED",
    message: `NOT_FOUND: exists node ${id("n", 1)}, in the way: ${id("n", 1)}`,
    rejection: { code: "NOT_FOUND", precondition },
  });
});

test("what a listener proposes becomes the next entry", async () => {
  const store = new ClusterStore(IDLE_PACE);
  const proposer = new LocalProposer(store);
  const seen: number[] = [];
  const waits: Promise<unknown>[] = [];
  store.subscribe((batch) => {
    if (batch.index === 1)
      waits.push(proposer.propose(transaction([{ kind: "putTask", task: sampleTask(1) }])));
  });
  store.subscribe((batch) => seen.push(batch.index));
  await proposer.propose(transaction([{ kind: "putNode", node: sampleNode(1) }]));
  await Promise.all(waits);
  expect(seen).toEqual([1, 2]);
  expect(store.task(id("t", 1))?.versionIndex).toBe(2);
});

test("a caller that gave up changes nothing", async () => {
  const store = new ClusterStore(IDLE_PACE);
  const gone = AbortSignal.abort(new Error("client left"));
  await expect(new LocalProposer(store).propose(transaction([]), gone)).rejects.toMatchObject({
    code: "STOPPED",
  });
  expect(store.index).toBe(0);
});
