/** Nodes come, rise, fall and go by the stock docker CLI, every command asked once. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { controlService } from "../../src/api/index.js";
import type { ApiNode } from "../../src/cli/api-types.js";
import { ExtraHost } from "./extra-host.js";
import {
  api,
  docker,
  eventually,
  healthy,
  IS_SIMULATED,
  IS_SOAK,
  managers,
  node,
  type Output,
  raftTerm,
  reset,
} from "./playground.js";

const ROUNDS = IS_SOAK ? 20 : 3;
/** 5 × what a role change may take. */
const ROLE_CHANGE_MS = 25_000;
const PERMISSION_DENIED = 7;

const host = new ExtraHost("wanderer", 150);

beforeAll(async () => {
  await reset();
  host.plug();
  await host.start();
});

afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await healthy();
});

type Role = "worker" | "manager";

function expectOk(answer: Output, stdout: RegExp): void {
  expect(answer).toMatchObject({ code: 0, stdout: expect.stringMatching(stdout) });
}

async function joinAs(role: Role): Promise<string> {
  const token = await docker(node("m1"), "swarm", "join-token", "-q", role);
  expect(token).toMatchObject({ code: 0, stderr: "" });
  const listen = ["--advertise-addr", host.addr, "--listen-addr", `${host.addr}:2377`];
  const remote = `${node("m1").addr}:2377`;
  expectOk(
    await host.docker("swarm", "join", ...listen, "--token", token.stdout.trim(), remote),
    new RegExp(`^This node joined a swarm as a ${role}\\.\\n$`),
  );
  return (await host.info()).Swarm.NodeID;
}

async function entryOf(id: string): Promise<ApiNode | undefined> {
  const nodes = await api(node("m1")).call<ApiNode[]>("GET", "/nodes");
  return nodes.find((entry) => entry.ID === id);
}

/** The cluster and the node itself agree on what it is now. */
function untilIs(role: Role, id: string): Promise<unknown> {
  return eventually(`${host.name} is a ${role}`, ROLE_CHANGE_MS, async () => {
    const { Swarm } = await host.info();
    const entry = await entryOf(id);
    const isManager = entry?.ManagerStatus?.Reachability === "reachable";
    return (
      entry?.Status.State === "ready" &&
      Swarm.LocalNodeState === "active" &&
      (role === "manager"
        ? Swarm.ControlAvailable && isManager
        : !Swarm.ControlAvailable && entry.ManagerStatus === undefined)
    );
  });
}

async function leaveAndRemove(id: string): Promise<void> {
  expectOk(await host.docker("swarm", "leave"), /^Node left the swarm\.\n$/);
  expect((await host.info()).Swarm.LocalNodeState).toBe("inactive");
  // All of it is gone by the time that the command answers.
  if (!IS_SIMULATED)
    expect(readdirSync("/run/netns").filter((name) => name.includes(id.slice(0, 8)))).toEqual([]);
  await eventually(
    `${host.name} is down`,
    ROLE_CHANGE_MS,
    async () => (await entryOf(id))?.Status.State === "down",
  );
  expectOk(await docker(node("m2"), "node", "rm", id), new RegExp(`^${id}\\n$`));
  expect(await entryOf(id)).toBeUndefined();
}

test(`join, promote, demote, leave, remove: ${ROUNDS} rounds, no retry`, async () => {
  for (let round = 1; round <= ROUNDS; round++) {
    const id = await joinAs("worker");
    expectOk(
      await docker(node("m1"), "node", "promote", id),
      new RegExp(`^Node ${id} promoted to a manager in the swarm\\.\\n$`),
    );
    await untilIs("manager", id);
    // As a manager it answers what only managers know.
    expectOk(await host.docker("node", "ls", "-q"), new RegExp(`^${id}$`, "m"));
    expectOk(
      await docker(node("m3"), "node", "demote", id),
      new RegExp(`^Manager ${id} demoted in the swarm\\.\\n$`),
    );
    await untilIs("worker", id);
    const refused = await host.docker("node", "ls");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("This node is not a swarm manager.");
    await leaveAndRemove(id);
  }
}, 600_000);

test("demoted while stopped: it ends as a worker, its old certificate opens nothing, no new term", async () => {
  const id = await joinAs("worker");
  expect((await docker(node("m1"), "node", "promote", id)).code).toBe(0);
  await untilIs("manager", id);
  // Key and certificate live in one file.
  const own = readFileSync(join(host.certificatesDir, "swarm-node.pem"));
  const root = readFileSync(join(host.certificatesDir, "swarm-root-ca.crt"));
  await host.stop();
  expect((await docker(node("m1"), "node", "demote", id)).code).toBe(0);
  await eventually(
    "it is no member any more",
    ROLE_CHANGE_MS,
    async () => (await entryOf(id))?.ManagerStatus === undefined,
  );
  const terms = (): Promise<number[]> => Promise.all(managers().map(raftTerm));
  const before = await terms();
  expect(new Set(before).size).toBe(1);

  const refusals = new Set<number | undefined>();
  const askWithOldCertificate = async (): Promise<void> => {
    for (const manager of managers()) refusals.add(await submitCode(manager.addr, root, own));
  };
  await askWithOldCertificate();
  const started = host.start();
  await eventually(`${host.name} is a worker`, ROLE_CHANGE_MS, async () => {
    await askWithOldCertificate();
    const { Swarm } = await host.info();
    const entry = await entryOf(id);
    return (
      Swarm.LocalNodeState === "active" &&
      !Swarm.ControlAvailable &&
      entry?.Status.State === "ready" &&
      entry.Spec.Role === "worker"
    );
  });
  await started;
  await askWithOldCertificate();
  expect([...refusals]).toEqual([PERMISSION_DENIED]);
  expect(await terms()).toEqual(before);
  await leaveAndRemove(id);
});

async function submitCode(addr: string, root: Buffer, own: Buffer): Promise<number | undefined> {
  const grpc = new Client(`${addr}:2377`, credentials.createSsl(root, own, own), {
    "grpc.ssl_target_name_override": "swarm-manager",
  });
  try {
    const error = await new Promise<ServiceError | null>((resolve) => {
      grpc.makeUnaryRequest(
        controlService.submit.path,
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        Buffer.alloc(0),
        { deadline: Date.now() + 5_000 },
        (failure) => resolve(failure),
      );
    });
    return error?.code;
  } finally {
    grpc.close();
  }
}
