import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { LocalState, NodeConfig, NodeRole } from "../api/index.js";
import { SeededRandom, SystemClock, silentLogger } from "../base/index.js";
import {
  createRoot,
  makeJoinTokens,
  makeUnlockKey,
  parseCertificate,
  type Root,
  roleOfToken,
  signCertificate,
} from "../manager/ca/index.js";
import { CaError, type CaPort } from "./ca-client.js";
import { LIMITS, type SupervisorLimits } from "./limits.js";
import { Supervisor } from "./supervisor.js";
import { INIT, joinRequest } from "./testing/bodies.js";

const FAKE = fileURLToPath(new URL("./testing/fake-child.mjs", import.meta.url));
const clock = new SystemClock();
const random = new SeededRandom(3);
let directory: string;
let supervisor: Supervisor | undefined;
/** The cluster that nodes join. */
let root: Root;
let tokens: { readonly worker: string; readonly manager: string };
/** What its store says of the node. */
let storedRole: NodeRole | "removed";

beforeAll(async () => {
  root = await createRoot(clock.wallMs(), random);
  tokens = makeJoinTokens(root.certificatePem, random);
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "swarmd-"));
});
afterEach(async () => {
  await supervisor?.stop();
  supervisor = undefined;
  rmSync(directory, { recursive: true });
});

const ca: CaPort = {
  fetchRoot: () => Promise.resolve(root.certificatePem),
  localAddressTowards: () => Promise.resolve("10.0.0.5"),
  issue: async (_addr, _roots, own, { csrPem, token }) => {
    let role: NodeRole | undefined;
    if (own === undefined) role = roleOfToken(tokens, token);
    else if (storedRole === "removed") throw new CaError(7, "node was removed from the swarm");
    else role = storedRole;
    if (role === undefined) throw new CaError(3, "A valid join token is necessary to join");
    storedRole = role;
    const certificatePem = await signCertificate({
      root,
      csrPem,
      nodeId: "joined1",
      clusterId: "c1",
      role,
      nowMs: clock.wallMs(),
      nodeCertExpiryNs: 1e15,
      random,
    });
    return { certificatePem, rootBundlePem: root.certificatePem, managerAddrs: ["10.0.0.1:2377"] };
  },
};

async function start(words: string, limits: Partial<SupervisorLimits> = {}): Promise<void> {
  supervisor = await Supervisor.start({
    config: {
      hostname: words,
      stateDir: join(directory, "state"),
      runDir: join(directory, "run"),
      socket: join(directory, "run", "s.sock"),
      advertiseAddr: "127.0.0.1",
      listenAddr: "",
      logLevel: "error",
    } as NodeConfig,
    programs: { net: FAKE, worker: FAKE, rest: FAKE, manager: FAKE },
    lockFd: undefined,
    ca,
    clock,
    random,
    logger: silentLogger,
    limits: { ...LIMITS, stopMs: 2_000, standInMs: 50, ...limits },
  });
}

type Answer = {
  readonly pid: number;
  /** How the answering manager was started; "" from a rest front. */
  readonly start: string;
  readonly identity: string | undefined;
  readonly localState: LocalState;
};

function get(path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const socketPath = join(directory, "run", "s.sock");
    const call = request({ socketPath, path, agent: false }, (response) => {
      const { statusCode: status = 0 } = response;
      text(response).then((body) => resolve({ status, body }), reject);
    });
    call.on("error", reject);
    call.end();
  });
}

async function look(): Promise<Answer> {
  return JSON.parse((await get("/")).body) as Answer;
}

async function swarm(
  op: string,
  body: unknown,
): Promise<{ readonly status: number; readonly body: string }> {
  return get(`/swarm/${op}?body=${encodeURIComponent(JSON.stringify(body))}`);
}

async function report(message: unknown): Promise<void> {
  await get(`/send?message=${encodeURIComponent(JSON.stringify(message))}`);
}

let port = 30_000 + Math.floor(Math.random() * 20_000);

function initBody(change: object = {}): object {
  port += 1;
  return { ...INIT, ListenAddr: `127.0.0.1:${port}`, ...change };
}

const joinBody = (change: object = {}): object => joinRequest(tokens.worker, change);

function nodeRecord(): unknown {
  return JSON.parse(readFileSync(join(directory, "state", "node.json"), "utf8"));
}

const certificates = (): string => join(directory, "state", "certificates", "swarm-node.pem");

describe("init", () => {
  test("answers with the node id when manager and session are up; the manager has the door then", async () => {
    await start("sessions");
    const answer = await swarm("init", initBody());
    expect(answer.status).toBe(200);
    const nodeId = (JSON.parse(answer.body) as { result: string }).result;
    expect(nodeRecord()).toMatchObject({
      kind: "member",
      nodeId,
      role: "manager",
      hasRaftLog: true,
    });
    expect(await look()).toMatchObject({
      start: "bootstrap",
      identity: nodeId,
      localState: { state: "active", nodeId, nodeAddr: "127.0.0.1", isManager: true },
    });
    expect(parseCertificate(readFileSync(certificates(), "utf8"))).toMatchObject({
      nodeId,
      role: "manager",
    });
    expect(statSync(certificates()).mode & 0o777).toBe(0o600);
    expect(statSync(join(certificates(), "..")).mode & 0o777).toBe(0o700);

    await supervisor?.stop();
    await start("sessions");
    await expect.poll(async () => (await look()).start).toBe("resume");
    expect((await look()).identity).toBe(nodeId);
  });

  test("on a member is refused in the Engine's words", async () => {
    await start("sessions");
    await swarm("init", initBody());
    const again = await swarm("init", initBody());
    expect(again.status).toBe(503);
    expect(JSON.parse(again.body)).toMatchObject({
      message:
        'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.',
    });
  });

  test.each([
    {
      name: "the manager cannot listen",
      words: "sessions manager-exit-76",
      status: 400,
      text: "told to exit 76",
    },
    {
      name: "the manager dies",
      words: "sessions manager-exit-1",
      status: 503,
      text: "told to exit 1",
    },
    { name: "no session comes up", words: "", status: 503, text: "did not connect" },
  ])(
    "fails with $status when $name, and leaves nothing behind",
    async ({ words, status, text }) => {
      await start(words, { membershipMs: 3_000 });
      const answer = await swarm("init", initBody());
      expect(answer).toMatchObject({ status, body: expect.stringContaining(text) });
      expect(existsSync(certificates())).toBe(false);
      await expect.poll(look).toMatchObject({
        start: "",
        localState: { state: "inactive", error: expect.stringContaining(text) },
      });
    },
  );

  test("refuses a wrong body before anything is made", async () => {
    await start("sessions");
    for (const { change, status, text } of [
      { change: { DataPathAddr: "10.9.9.9" }, status: 400, text: "no interface of this host" },
      { change: { DataPathAddr: "lo:4789" }, status: 400, text: "without a port number" },
      { change: { AdvertiseAddr: "eth99" }, status: 400, text: "eth99" },
      { change: { DefaultAddrPool: ["10.0.0.0/8", "10.1.0.0/16"] }, status: 400, text: "overlap" },
      {
        change: { DefaultAddrPool: ["10.0.0.0/26"] },
        status: 400,
        text: "smaller than one subnet",
      },
      { change: { SubnetSize: 30 }, status: 400, text: "subnet size" },
      { change: { DataPathPort: 80 }, status: 400, text: "not in valid range (1024-49151): 80" },
    ]) {
      const answer = await swarm("init", initBody(change));
      expect(answer, text).toMatchObject({ status, body: expect.stringContaining(text) });
    }
    expect(existsSync(join(directory, "state", "node.json"))).toBe(false);
    expect(existsSync(certificates())).toBe(false);
  });

  test("an address in use is found before anything is made", async () => {
    await start("sessions");
    await swarm("init", initBody());
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port + 1, "127.0.0.1", resolve));
    await swarm("leave", { force: true });
    const answer = await swarm("init", initBody());
    other.close();
    expect(answer.status).toBe(400);
    expect(answer.body).toContain("already in use");
  });

  test("that was interrupted is wiped at the next start, saying so", async () => {
    await start("");
    await supervisor?.stop();
    writeFileSync(
      join(directory, "state", "node.json"),
      '{"formatVersion":1,"kind":"initializing"}',
    );
    await start("");
    expect((await look()).localState).toMatchObject({
      state: "inactive",
      error: expect.stringContaining("run `swarm init` again"),
    });
  });
});

describe("init that forces a new cluster", () => {
  const FORCE = { ...INIT, ListenAddr: "0.0.0.0:2377", ForceNewCluster: true };

  test("ends the manager and starts it as the only one; the node stays what it is", async () => {
    await start("sessions");
    await swarm("init", initBody());
    const managers = ["1", "2", "3"].map((n) => ({ nodeId: `m${n}`, addr: `10.0.0.${n}:2377` }));
    const update = { kind: "nodeUpdate", role: "manager", rootBundlePem: "", forceRenew: false };
    await report({ ...update, managers });
    await expect.poll(async () => (await look()).localState.managers).toEqual(managers);
    const before = await look();
    const certificate = readFileSync(certificates(), "utf8");

    const answer = await swarm("init", FORCE);
    expect(answer.status).toBe(200);
    const nodeId = (JSON.parse(answer.body) as { result: string }).result;
    expect(nodeId).toBe(before.localState.nodeId);
    const after = await look();
    expect(after).toMatchObject({
      start: "forceNewCluster",
      identity: nodeId,
      localState: { state: "active", managers: [{ nodeId, addr: `127.0.0.1:${port}` }] },
    });
    expect(after.pid).not.toBe(before.pid);
    expect(nodeRecord()).not.toHaveProperty("isForcingNewCluster");
    expect(readFileSync(certificates(), "utf8")).toBe(certificate);

    await supervisor?.stop();
    await start("sessions");
    await expect.poll(async () => (await look()).start).toBe("resume");
  });

  test("takes another address, when one is given", async () => {
    await start("sessions");
    await swarm("init", initBody());
    const listen = `127.0.0.1:${port + 1}`;
    port += 1;
    expect((await swarm("init", { ...FORCE, ListenAddr: listen })).status).toBe(200);
    expect(nodeRecord()).toMatchObject({ listenAddr: listen });
    const bad = await swarm("init", { ...FORCE, AdvertiseAddr: "eth99" });
    expect(bad).toMatchObject({ status: 400, body: expect.stringContaining("eth99") });
    expect(nodeRecord()).toMatchObject({ listenAddr: listen });
  });

  test("is refused to who is no manager, never with the advice to leave", async () => {
    await start("sessions");
    for (const prepare of [
      () => Promise.resolve(),
      () => swarm("join", joinBody()), // as a worker
    ]) {
      await prepare();
      const refused = await swarm("init", FORCE);
      expect(refused.status).toBe(503);
      expect(refused.body).toContain("This node is not a swarm manager");
      expect(refused.body).not.toContain("leave");
    }
  });

  test("with autolock is not supported", async () => {
    await start("sessions");
    await swarm("init", initBody());
    const refused = await swarm("init", { ...FORCE, AutoLockManagers: true });
    expect(refused).toMatchObject({ status: 501, body: expect.stringContaining("AutoLock") });
    expect((await look()).start).toBe("bootstrap");
  });

  test("that fails says why, and the node goes on as before", async () => {
    await start("sessions");
    await swarm("init", initBody());
    await supervisor?.stop();
    const before = nodeRecord();
    await start("sessions manager-exit-73");
    await expect.poll(async () => (await look()).localState.state).toBe("error");
    const answer = await swarm("init", { ...FORCE, AdvertiseAddr: "127.0.0.1:4000" });
    expect(answer).toMatchObject({
      status: 503,
      body: expect.stringMatching(/goes on as before: told to exit 73/),
    });
    expect(nodeRecord()).toEqual(before);
    await expect
      .poll(async () => (await look()).localState)
      .toMatchObject({ state: "error", error: "told to exit 73" });
  });

  test("goes on in the background when it takes too long, and after a restart", async () => {
    await start("sessions");
    await swarm("init", initBody());
    await supervisor?.stop();
    await start("sessions manager-silent", { membershipMs: 300 });
    const answer = await swarm("init", FORCE);
    expect(answer).toMatchObject({ status: 503, body: expect.stringContaining("background") });
    expect(nodeRecord()).toMatchObject({ kind: "member", isForcingNewCluster: true });
    await supervisor?.stop();
    await start("sessions");
    await expect.poll(async () => (await look()).start).toBe("forceNewCluster");
    await expect.poll(nodeRecord).not.toHaveProperty("isForcingNewCluster");
  });
});

describe("join", () => {
  test.each(["worker", "manager"] as const)("with the %s token", async (role) => {
    await start("sessions");
    expect((await swarm("join", joinBody({ JoinToken: tokens[role] }))).status).toBe(200);
    expect(nodeRecord()).toMatchObject({
      kind: "member",
      nodeId: "joined1",
      clusterId: "c1",
      role,
      managers: [{ addr: "10.0.0.1:2377" }],
    });
    const { localState, start: how } = await look();
    expect(localState.state).toBe("active");
    expect(how).toBe(role === "manager" ? "join" : "");
  });

  test("with a token the cluster does not know", async () => {
    await start("sessions");
    const answer = await swarm(
      "join",
      joinBody({ JoinToken: `${tokens.worker.slice(0, -4)}zzzz` }),
    );
    expect(answer.status).toBe(400);
    expect(answer.body).toContain("valid join token");
    expect((await look()).localState).toMatchObject({
      state: "inactive",
      error: expect.stringContaining("valid join token"),
    });
  });

  test("with a token of another cluster", async () => {
    const other = await createRoot(clock.wallMs(), random);
    const { worker } = makeJoinTokens(other.certificatePem, random);
    await start("sessions");
    const answer = await swarm("join", joinBody({ JoinToken: worker }));
    expect(answer.status).toBe(400);
    expect(answer.body).toContain("fingerprint");
  });

  test("goes on in the background when it takes too long, and leaves cleanly", async () => {
    await start("", { membershipMs: 200 });
    const answer = await swarm("join", joinBody());
    expect(answer.status).toBe(503);
    expect(answer.body).toContain("continue in the background");
    expect((await look()).localState.state).toBe("pending");
    await report({ kind: "session", isUp: true });
    await expect.poll(async () => (await look()).localState.state).toBe("active");
  });
});

describe("a member", () => {
  test("that is a worker leaves without force", async () => {
    await start("sessions");
    await swarm("join", joinBody());
    expect((await swarm("leave", { force: false })).status).toBe(200);
    expect(nodeRecord()).toEqual({ formatVersion: 1, kind: "inactive", lastError: "" });
    expect(existsSync(certificates())).toBe(false);
    const body = expect.stringContaining("not part of a swarm") as string;
    expect(await swarm("leave", { force: false })).toMatchObject({ status: 503, body });
  });

  test("whose tasks cannot be stopped leaves by force only", async () => {
    await start("sessions fail-leaveCluster");
    await swarm("join", joinBody());
    const refused = await swarm("leave", { force: false });
    expect(refused).toMatchObject({ status: 503, body: expect.stringContaining("--force") });
    expect((await swarm("leave", { force: true })).status).toBe(200);
  });

  test("whose networks could not be removed has left all the same", async () => {
    await start("sessions fail-removeNetworks");
    await swarm("join", joinBody());
    const body = expect.stringContaining("removeNetworks failed") as string;
    expect(await swarm("leave", { force: false })).toMatchObject({ status: 200, body });
  });

  test("that is the last manager leaves by force only, told what is lost", async () => {
    await start("sessions");
    await swarm("init", initBody());
    const refused = await swarm("leave", { force: false });
    expect(refused).toMatchObject({
      status: 503,
      body: expect.stringContaining("erases all current state of the swarm"),
    });
    expect((await swarm("leave", { force: true })).status).toBe(200);
    await expect.poll(async () => (await look()).localState.state).toBe("inactive");
    expect((await swarm("init", initBody())).status).toBe(200);
  });

  test("shows the managers that its session tells of", async () => {
    await start("sessions");
    await swarm("join", joinBody());
    const managers = ["1", "2", "3"].map((n) => ({ nodeId: `m${n}`, addr: `10.0.0.${n}:2377` }));
    await report({
      kind: "nodeUpdate",
      role: "worker",
      rootBundlePem: "",
      managers,
      forceRenew: false,
    });
    await expect.poll(async () => (await look()).localState.managers).toEqual(managers);
  });

  test("is promoted and demoted by what its session says, and its log is set aside", async () => {
    await start("sessions");
    await swarm("join", joinBody());
    const update = { kind: "nodeUpdate", rootBundlePem: "", managers: [], forceRenew: false };
    storedRole = "manager";
    await report({ ...update, role: "manager" });
    await expect.poll(async () => (await look()).start, { timeout: 5_000 }).toBe("join");
    const log = join(directory, "state", "raft");
    mkdirSync(log);
    storedRole = "worker";
    await report({ ...update, role: "worker" });
    await expect.poll(async () => (await look()).start, { timeout: 5_000 }).toBe("");
    await expect.poll(() => existsSync(`${log}.removed`)).toBe(true);
    expect(existsSync(log)).toBe(false);
    expect((await look()).localState).toMatchObject({ state: "active", isManager: false });
  });

  test("that was removed says so, and can leave", async () => {
    await start("sessions");
    await swarm("join", joinBody());
    storedRole = "removed";
    await report({ kind: "removed" });
    await expect
      .poll(async () => (await look()).localState)
      .toMatchObject({ state: "error", error: expect.stringContaining("removed from the swarm") });
    expect((await swarm("leave", { force: false })).status).toBe(200);
  });

  test("whose manager cannot read its log shows reason and remedy through rest, and is not restarted", async () => {
    await start("sessions");
    await swarm("init", initBody());
    await supervisor?.stop();
    await start("sessions manager-exit-73");
    await expect
      .poll(async () => await look())
      .toMatchObject({
        start: "",
        localState: { state: "error", error: "told to exit 73", isManager: true },
      });
  });

  test("whose keys are encrypted needs the unlock key after a start; nothing else answers meanwhile", async () => {
    await start("sessions");
    await swarm("init", initBody());
    const key = makeUnlockKey(random);
    await report({ kind: "unlockKey", unlockKey: key });
    await expect.poll(() => readFileSync(certificates(), "utf8")).toContain("BEGIN ENCRYPTED");
    await supervisor?.stop();
    await start("sessions");
    await expect
      .poll(look)
      .toMatchObject({ start: "", localState: { state: "locked", isManager: true } });
    // Nobody can be called without a key.
    expect((await look()).identity).toBeUndefined();
    for (const { op, body, status, text } of [
      { op: "unlock", body: { UnlockKey: "SWMKEY-1-x" }, status: 400, text: "invalid unlock key" },
      {
        op: "unlock",
        body: { UnlockKey: makeUnlockKey(random) },
        status: 401,
        text: "invalid key",
      },
      { op: "init", body: initBody(), status: 503, text: "already part of a swarm" },
      {
        op: "init",
        body: { ...INIT, ForceNewCluster: true },
        status: 503,
        text: "needs to be unlocked",
      },
      { op: "leave", body: { force: false }, status: 503, text: "--force" },
    ])
      expect(await swarm(op, body)).toMatchObject({ status, body: expect.stringContaining(text) });
    expect((await look()).localState.state).toBe("locked");

    expect((await swarm("unlock", { UnlockKey: key })).status).toBe(200);
    expect(await look()).toMatchObject({ start: "resume", localState: { state: "active" } });
    expect(await swarm("unlock", { UnlockKey: key })).toMatchObject({ status: 409 });

    await report({ kind: "unlockKey", unlockKey: "" });
    await expect.poll(() => readFileSync(certificates(), "utf8")).toContain("BEGIN PRIVATE");
  });

  test("that is locked can leave by force", async () => {
    await start("sessions");
    await swarm("init", initBody({ AutoLockManagers: true }));
    expect(readFileSync(certificates(), "utf8")).toContain("BEGIN ENCRYPTED PRIVATE KEY");
    await supervisor?.stop();
    await start("sessions");
    await expect.poll(async () => (await look()).localState.state).toBe("locked");
    expect((await swarm("leave", { force: true })).status).toBe(200);
    expect((await look()).localState.state).toBe("inactive");
    expect((await swarm("init", initBody())).status).toBe(200);
  });

  test("is not locked", async () => {
    await start("sessions");
    expect(await swarm("unlock", { UnlockKey: "x" })).toMatchObject({
      status: 409,
      body: expect.stringContaining("swarm is not locked"),
    });
  });
});

test("a killed front comes back", async () => {
  await start("");
  const { pid } = await look();
  process.kill(pid, "SIGKILL");
  await expect
    .poll(async () => {
      try {
        return (await look()).pid !== pid;
      } catch {
        return false; // the connection that was handed to the dying process
      }
    })
    .toBe(true);
});

test("a stop ends every child and removes the socket", async () => {
  await start("sessions");
  await swarm("init", initBody());
  const { pid } = await look();
  await supervisor?.stop();
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  expect(existsSync(join(directory, "run", "s.sock"))).toBe(false);
});
