/** Attachments on their node: a running container gets a network, and loses it. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { NETWORK_PHASE, TASK_STATE } from "../../api/index.js";
import type { Assignment } from "../core/task/types.js";
import { type FakeClock, settle, until } from "../testing/fake-clock.js";
import { completeSet, fakeAssignment, NodeKit, taskId } from "../testing/node-kit.js";
import { containerIdOf } from "./container-id.js";

const S = TASK_STATE;
const ADDRESS = { networkId: "net9", address: "10.9.0.7", address6: "", aliases: ["web.1.x"] };

function attachment(name: string, change: Partial<Omit<Assignment, "spec">> = {}): Assignment {
  return fakeAssignment(name, {
    ...{ serviceId: "", serviceName: "web.1.x", slot: 0, networks: [ADDRESS] },
    networkPhase: NETWORK_PHASE.announced,
    ...change,
    spec: {
      NetworkAttachmentSpec: { ContainerID: containerIdOf(taskId("a")), TaskID: taskId("a") },
      Networks: [{ Target: "net9" }],
      Runtime: "attachment",
    },
  });
}

async function reaches(kit: NodeKit, name: string, state: number): Promise<void> {
  await until(() => kit.stateOf(name) === state, `${name} ${state}`);
}

/** A container that runs, with an attachment. */
async function connected(kit: NodeKit): Promise<void> {
  kit.tasks.apply(completeSet(1, [fakeAssignment("a")]));
  await reaches(kit, "a", S.running);
  kit.tasks.apply(completeSet(2, [fakeAssignment("a"), attachment("att")]));
  await reaches(kit, "att", S.running);
}

test("a running container gets the network, with the resolver that it did not have", async () => {
  await using kit = await NodeKit.make();
  await connected(kit);
  expect([...kit.net.connected.values()]).toEqual([
    {
      ...{ containerId: taskId("a"), taskId: taskId("att"), networkId: "net9" },
      dns: { nameservers: [], search: [], options: [] },
    },
  ]);
  const { filesDir } = kit.store.paths(taskId("a"));
  expect(await readFile(`${filesDir}/resolv.conf`, "utf8")).toBe(
    "nameserver 127.0.0.11\noptions ndots:0\n",
  );
  expect(kit.statuses.filter((one) => one.taskId === taskId("att")).at(-1)).toMatchObject({
    state: S.running,
    containerId: containerIdOf(taskId("a")),
  });
  // It is no container of its own.
  expect([...kit.engine.containers.keys()]).toEqual([taskId("a")]);
  expect(await kit.tasks.networkIds()).toEqual([taskId("a")]);
});

test("one that is on networks since its start keeps its resolv.conf", async () => {
  await using kit = await NodeKit.make();
  const own = { networks: [{ ...ADDRESS, networkId: "net1" }], networkPhase: 2 } as const;
  kit.tasks.apply(completeSet(1, [fakeAssignment("a", own)]));
  await reaches(kit, "a", S.running);
  const { filesDir } = kit.store.paths(taskId("a"));
  const before = await readFile(`${filesDir}/resolv.conf`, "utf8");
  kit.tasks.apply(completeSet(2, [fakeAssignment("a", own), attachment("att")]));
  await reaches(kit, "att", S.running);
  expect(await readFile(`${filesDir}/resolv.conf`, "utf8")).toBe(before);
});

test("it counts as connected when the other nodes know of it, or after two seconds", async () => {
  await using kit = await NodeKit.make();
  kit.tasks.apply(completeSet(1, [fakeAssignment("a")]));
  await reaches(kit, "a", S.running);
  const early = attachment("att", { networkPhase: NETWORK_PHASE.none });
  kit.tasks.apply(completeSet(2, [fakeAssignment("a"), early]));
  await reaches(kit, "att", S.ready);
  await (kit.clock as FakeClock).advance(1_900, 100);
  expect(kit.stateOf("att")).toBe(S.ready);
  await (kit.clock as FakeClock).advance(200, 100);
  await reaches(kit, "att", S.running);
});

test("a container that does not run here gets none, and its task says why", async () => {
  await using kit = await NodeKit.make();
  kit.tasks.apply(completeSet(1, [attachment("att")]));
  await reaches(kit, "att", S.rejected);
  expect(kit.statuses.at(-1)?.err).toBe("the container does not run on this node");
  expect(kit.net.connected.size).toBe(0);
});

test("what net refuses ends it, with the reason", async () => {
  await using kit = await NodeKit.make();
  kit.tasks.apply(completeSet(1, [fakeAssignment("a")]));
  await reaches(kit, "a", S.running);
  kit.net.refusal = "no such endpoint";
  kit.tasks.apply(completeSet(2, [fakeAssignment("a"), attachment("att")]));
  await reaches(kit, "att", S.rejected);
  expect(kit.statuses.at(-1)?.err).toBe("no such endpoint");
  expect(kit.stateOf("a")).toBe(S.running);
});

test("a net process that is away is waited for", async () => {
  await using kit = await NodeKit.make();
  kit.tasks.apply(completeSet(1, [fakeAssignment("a")]));
  await reaches(kit, "a", S.running);
  kit.net.isDown = true;
  kit.tasks.apply(completeSet(2, [fakeAssignment("a"), attachment("att")]));
  await reaches(kit, "att", S.preparing);
  kit.net.isDown = false;
  await (kit.clock as FakeClock).advance(2_000, 100);
  await reaches(kit, "att", S.running);
});

test.each([
  { name: "at once when nobody is connected", open: 0, heldMs: 0, isForced: false },
  { name: "for its drain time while somebody is", open: 2, heldMs: 2_000, isForced: false },
  { name: "at once by force", open: 2, heldMs: 0, isForced: true },
])(
  "a disconnected one goes $name, and the container runs on",
  async ({ open, heldMs, isForced }) => {
    await using kit = await NodeKit.make();
    const clock = kit.clock as FakeClock;
    await connected(kit);
    kit.net.open = { open, drainMs: 2_000 };
    if (isForced) kit.tasks.runner(taskId("att"))?.hurry();
    const gone = attachment("att", {
      desiredState: S.remove,
      networkPhase: NETWORK_PHASE.withdrawn,
    });
    kit.tasks.apply(completeSet(3, [fakeAssignment("a"), gone]));
    if (heldMs > 0) {
      await clock.advance(heldMs - 100, 100);
      expect(kit.net.connected.size).toBe(1);
      await clock.advance(200, 100);
    }
    await reaches(kit, "att", S.shutdown);
    expect(kit.net.connected.size).toBe(0);
    expect(kit.stateOf("a")).toBe(S.running);
    kit.tasks.apply(completeSet(4, [fakeAssignment("a")]));
    await until(() => kit.tasks.runner(taskId("att")) === undefined, "forgotten");
  },
);

test("it ends with its container", async () => {
  await using kit = await NodeKit.make();
  await connected(kit);
  kit.engine.exit(taskId("a"), 1);
  const clock = kit.clock as FakeClock;
  await clock.advanceUntil(() => kit.stateOf("att") === S.complete, "ended");
  await until(() => kit.net.connected.size === 0, "given back");
});

test("the stop of its container waits for its withdrawal, four seconds at most", async () => {
  await using kit = await NodeKit.make();
  const clock = kit.clock as FakeClock;
  await connected(kit);
  const stopped = (): boolean => kit.engine.calls.some((call) => call.startsWith("stop"));
  kit.tasks.apply(
    completeSet(3, [fakeAssignment("a", { desiredState: S.shutdown }), attachment("att")]),
  );
  await settle();
  await clock.advance(3_900, 100);
  expect(stopped()).toBe(false);
  await clock.advance(200, 100);
  await until(stopped, "stop signal");
  await clock.advanceUntil(() => kit.stateOf("a") === S.shutdown, "shut down");
  await reaches(kit, "att", S.complete);
});

test("it outlives a restart of the agent, whichever record is read first", async () => {
  const first = await NodeKit.make();
  // By name before and after its container's.
  first.tasks.apply(completeSet(1, [fakeAssignment("a")]));
  await reaches(first, "a", S.running);
  const all = [fakeAssignment("a"), attachment("0att"), attachment("zatt")];
  first.tasks.apply(completeSet(2, all));
  for (const name of ["0att", "zatt"]) await reaches(first, name, S.running);
  await first.kill();

  await using second = await NodeKit.make(first);
  await settle();
  second.tasks.apply(completeSet(3, all));
  await settle();
  for (const name of ["a", "0att", "zatt"]) expect(second.stateOf(name)).toBe(S.running);
  expect(second.net.connected.size).toBe(2);
  expect(second.tasks.attachmentsOf(taskId("a"))).toHaveLength(2);
});
