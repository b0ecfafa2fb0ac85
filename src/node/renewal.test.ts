/** Certificates over their lifetime: the node's clock is virtual; in the second half managers, TLS and the CA are real. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { NodeConfig, NodeRole, OwnRenewal } from "../api/index.js";
import { type Logger, SeededRandom, silentLogger } from "../base/index.js";
import {
  createCsr,
  createRoot,
  parseCertificate,
  type Root,
  signCertificate,
} from "../manager/ca/index.js";
import type { Manager } from "../manager/index.js";
import { TestCluster } from "../manager/testing/cluster-kit.js";
import { FakeClock } from "../manager/testing/fake-clock.js";
import { TestAgent } from "../manager/testing/test-agent.js";
import { CaError, type CaPort, caClient } from "./ca-client.js";
import type { NodeCredentials } from "./certificate-store.js";
import { localStateOf } from "./core/local-state.js";
import { NodeState } from "./node-state.js";
import { Renewal } from "./renewal.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Certificates are backdated by an hour. */
const VALID_MS = 99 * HOUR_MS;
const LIFETIME_MS = VALID_MS + HOUR_MS;
const random = new SeededRandom(11);

let directory: string;
let clock: FakeClock;
/** Where in its window the next certificate is renewed: 0 = begin, 1 = end. */
let chance: number;
let expiredCount: number;
let logged: { readonly fields: Readonly<Record<string, unknown>>; readonly text: string }[];

beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/renewal-`);
  clock = new FakeClock();
  chance = 0;
  expiredCount = 0;
  logged = [];
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const logger: Logger = {
  ...silentLogger,
  warn: (fields, text) => {
    logged.push({ fields: fields as Readonly<Record<string, unknown>>, text });
  },
};

async function member(
  ids: {
    readonly nodeId: string;
    readonly clusterId: string;
    readonly managerAddr: string;
    readonly role?: NodeRole;
  },
  credentials: NodeCredentials,
): Promise<NodeState> {
  const { nodeId, clusterId, managerAddr: addr, role = "worker" } = ids;
  const state = await NodeState.open({ stateDir: `${directory}/${nodeId}` } as NodeConfig);
  const addrs = { advertiseAddr: "10.0.0.5:2377", listenAddr: "0.0.0.0:2377" };
  const attempt = {
    remoteAddrs: [addr],
    joinToken: "t",
    availability: "active",
    ...addrs,
  } as const;
  await state.apply({ kind: "joinStarted", attempt });
  await state.setCredentials(credentials);
  const managers = [{ nodeId: "", addr }];
  const admission = { nodeId, clusterId, role, managers, ...addrs } as const;
  await state.apply({ kind: "admitted", admission });
  await state.apply({ kind: "settled" });
  return state;
}

type OwnManager = { renewOwnCertificate(r: OwnRenewal["request"]): Promise<OwnRenewal["reply"]> };
const NO_MANAGER: OwnManager = {
  renewOwnCertificate: () => Promise.reject(new Error("the manager program is not running")),
};

function renewalOf(state: NodeState, ca: CaPort, own: OwnManager = NO_MANAGER): Renewal {
  const renewal = new Renewal({
    state,
    ca,
    ownManager: (request) => own.renewOwnCertificate(request),
    clock,
    random: Object.assign(new SeededRandom(1), { float: () => chance }),
    logger,
    onExpired: () => {
      expiredCount += 1;
    },
  });
  state.onChange(() => {
    renewal.update();
  });
  return renewal;
}

function shownOf(state: NodeState, renewal: Renewal): { state: string; error: string } {
  return localStateOf(state.record, {
    managerProblem: undefined,
    isCertificateExpired: renewal.isExpired,
  });
}

describe("by the clock", () => {
  let root: Root;
  let askedAtMs: number[];
  let isAway: boolean;

  beforeEach(async () => {
    root = await createRoot(clock.wallMs(), random);
    askedAtMs = [];
    isAway = false;
  });

  async function signed(csrPem: string): Promise<string> {
    const nodeCertExpiryNs = VALID_MS * 1e6;
    const whom = { nodeId: "n1", clusterId: "c1", role: "worker" } as const;
    return signCertificate({
      root,
      csrPem,
      ...whom,
      nowMs: clock.wallMs(),
      nodeCertExpiryNs,
      random,
    });
  }

  const ca: CaPort = {
    ...caClient,
    issue: async (_addr, _roots, _own, { csrPem }) => {
      askedAtMs.push(clock.nowMs());
      if (isAway) throw new CaError(14, "manager 10.0.0.1:2377 cannot be reached");
      const rootBundlePem = root.certificatePem;
      return { certificatePem: await signed(csrPem), rootBundlePem, managerAddrs: [] };
    },
  };

  async function joined(): Promise<NodeState> {
    const { csrPem, privateKeyPem } = await createCsr();
    const certificatePem = await signed(csrPem);
    const rootBundlePem = root.certificatePem;
    return member(
      { nodeId: "n1", clusterId: "c1", managerAddr: "10.0.0.1:2377" },
      { certificatePem, privateKeyPem, rootBundlePem },
    );
  }

  test.each([
    { at: "the half", chance: 0, lifetimes: 0.5 },
    { at: "four fifths", chance: 1, lifetimes: 0.8 },
  ])("a certificate is renewed at $at of its lifetime, again and again", async (row) => {
    chance = row.chance;
    const state = await joined();
    const renewal = renewalOf(state, ca);
    renewal.update();
    const dueMs = row.lifetimes * LIFETIME_MS - HOUR_MS;
    for (let round = 1; round <= 3; round += 1) {
      const before = state.identity?.certificatePem;
      await clock.advance(dueMs - 1);
      expect(askedAtMs).toHaveLength(round - 1);
      await clock.advance(1);
      await expect.poll(() => state.identity?.certificatePem).not.toBe(before);
      expect(askedAtMs).toEqual(Array.from({ length: round }, (_, i) => (i + 1) * dueMs));
    }
    renewal.stop();
    expect([expiredCount, logged]).toEqual([0, []]);
  });

  test("the end is told when it comes, not with the next attempt, and a late renewal mends it", async () => {
    const state = await joined();
    const renewal = renewalOf(state, ca);
    renewal.update();
    isAway = true;
    await clock.advance(VALID_MS - 1);
    await expect
      .poll(() => logged.map(({ text }) => text))
      .toContain("certificate could not be renewed");
    expect([expiredCount, renewal.isExpired]).toEqual([0, false]);
    await clock.advance(1);
    expect([expiredCount, renewal.isExpired]).toEqual([1, true]);
    expect(shownOf(state, renewal)).toMatchObject({
      state: "error",
      error: expect.stringMatching(/certificates have expired.*join again/),
    });
    // The attempt before may tell of its failure behind it: keys are made by a thread.
    expect(logged.map(({ text }) => text)).toContainEqual(
      expect.stringContaining("certificates have expired"),
    );

    isAway = false;
    await clock.advance(HOUR_MS);
    await expect.poll(() => renewal.isExpired).toBe(false);
    expect(shownOf(state, renewal)).toMatchObject({ state: "active", error: "" });
    renewal.stop();
  });
});

describe("with real managers", () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.start(1);
  }, 60_000);
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    // TLS looks at the real clock: the virtual one begins there.
    const startMs = Date.now();
    clock.wallMs = () => startMs + clock.nowMs();
  });

  const manager = () => {
    const [first] = cluster.identities;
    if (first === undefined) throw new Error("no manager");
    return first;
  };

  test("a renewal in its time leaves the session be, and the next session has the new certificate", async () => {
    const own = await cluster.admit(manager(), "worker");
    const state = await member(
      { nodeId: own.nodeId, clusterId: cluster.clusterId, managerAddr: manager().advertiseAddr },
      { ...own, rootBundlePem: cluster.root.certificatePem },
    );
    const renewal = renewalOf(state, caClient);
    renewal.update();
    chance = 1; // The next one is not due as soon as it is there.
    using agent = new TestAgent(cluster, manager(), own);
    await expect.poll(() => agent.has("welcome")).toBe(true);

    const { notBeforeMs, notAfterMs } = parseCertificate(own.certificatePem);
    await clock.advance((notBeforeMs + notAfterMs) / 2 - clock.wallMs());
    await expect.poll(() => state.identity?.certificatePem).not.toBe(own.certificatePem);
    renewal.stop();
    expect(logged).toEqual([]);
    const identity = state.identity;
    if (identity === undefined) throw new Error("no identity");
    expect(parseCertificate(identity.certificatePem)).toMatchObject({ nodeId: own.nodeId });

    agent.received.length = 0;
    await expect.poll(() => agent.has("heartbeatAck")).toBe(true);
    expect(agent.isEnded).toBe(false);
    using next = new TestAgent(cluster, manager(), identity);
    await expect.poll(() => next.has("welcome")).toBe(true);
  });

  test("a certificate that ended while the node was off is refused, with the remedy, and stays", async () => {
    const { nodeId } = await cluster.admit(manager(), "worker");
    const nowMs = Date.now() - 91 * DAY_MS;
    const own = await cluster.certificate(nodeId, "worker", cluster.clusterId, { nowMs });
    const state = await member(
      { nodeId, clusterId: cluster.clusterId, managerAddr: manager().advertiseAddr },
      { ...own, rootBundlePem: cluster.root.certificatePem },
    );
    const renewal = renewalOf(state, caClient);
    renewal.update();
    await clock.advance(0);
    const attempts = (): typeof logged => logged.filter(({ text }) => text.includes("renewed"));
    await expect.poll(() => attempts().length).toBe(1);
    expect(expiredCount).toBe(1);
    expect(logged[0]?.text).toMatch(/certificates have expired.*Check its clock.*join again/);
    expect(attempts()[0]?.fields["error"]).toMatch(/must not have expired.*join again/);
    expect(shownOf(state, renewal)).toMatchObject({
      state: "error",
      error: expect.stringContaining("certificates have expired"),
    });
    expect(state.identity).toMatchObject(own);

    await clock.advance(5_000);
    await expect.poll(() => attempts().length).toBe(2);
    renewal.stop();
  });
});

/** As managers find themselves when their hosts were off for longer than certificates live. */
describe("managers whose certificates ended while all of them were off", () => {
  let cluster: TestCluster | undefined;

  afterEach(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  /** `count` managers, of which those at `away` were off for longer than certificates live, and run again. */
  async function expired(count: number, away = [...Array(count).keys()]): Promise<TestCluster> {
    const made = await TestCluster.start(count);
    cluster = made;
    for (const i of away) await made.managers[i]?.stop({ handOver: false });
    const nowMs = Date.now() - 91 * DAY_MS;
    for (const i of away) {
      const identity = made.identities[i];
      if (identity === undefined) throw new Error(`no manager ${i}`);
      const keys = await made.certificate(identity.nodeId, "manager", made.clusterId, { nowMs });
      made.identities[i] = { ...identity, ...keys };
    }
    await Promise.all(away.map((i) => made.reopen(i)));
    const startMs = Date.now();
    clock.wallMs = () => startMs + clock.nowMs();
    return made;
  }

  /** What the supervisor does for the manager at `index`. */
  async function renewed(made: TestCluster, index: number): Promise<NodeState> {
    const [manager, identity] = [made.managers[index], made.identities[index]];
    if (!manager || !identity) throw new Error(`no manager ${index}`);
    const { nodeId, clusterId, advertiseAddr: managerAddr } = identity;
    const state = await member({ nodeId, clusterId, managerAddr, role: "manager" }, identity);
    const renewal = renewalOf(state, caClient, manager);
    expect(renewal.isExpired).toBe(false); // not looked at yet
    renewal.update();
    expect(shownOf(state, renewal).error).toContain("certificates have expired");
    await clock.advance(0);
    await expect.poll(() => renewal.isExpired).toBe(false);
    expect(shownOf(state, renewal)).toMatchObject({ state: "active", error: "" });
    renewal.stop();
    if (state.identity === undefined) throw new Error("no identity");
    manager.setIdentity(state.identity);
    return state;
  }

  /** As the manager answers it now; 0 while it cannot. */
  async function nodeCount(manager: Manager | undefined): Promise<number> {
    try {
      return (await manager?.read())?.nodes().length ?? 0;
    } catch {
      return 0;
    }
  }

  test("the only one renews by itself, says so, and its workers are let in", async () => {
    chance = 1;
    const made = await expired(1);
    const [manager, identity] = [made.managers[0], made.identities[0]];
    if (!manager || !identity) throw new Error("one manager");
    expect(manager.isLeader).toBe(true);
    const state = await renewed(made, 0);
    expect(logged.map(({ text }) => text)).toContainEqual(
      expect.stringContaining("renewed with the key of the CA in its own log"),
    );
    expect(state.record).toMatchObject({ kind: "member", role: "manager" });
    const own = await made.admit(identity, "worker");
    using agent = new TestAgent(made, identity, own);
    await expect.poll(() => agent.has("welcome")).toBe(true);
  }, 30_000);

  test("one of two that was off alone comes back over new connections: on the old ones it was refused", async () => {
    chance = 1;
    const made = await expired(2, [1]);
    expect(made.warnings).toContainEqual(expect.stringContaining("call refused"));
    await renewed(made, 1);
    await expect.poll(() => nodeCount(made.managers[1]), { timeout: 10_000 }).toBe(2);
  }, 30_000);

  test("three of them each renew by themselves, find each other, and agree again", async () => {
    chance = 1;
    const made = await expired(3);
    expect(made.managers.map((manager) => manager.leader())).toEqual(
      [1, 2, 3].map(() => undefined),
    );
    for (const index of [0, 1, 2]) await renewed(made, index);
    for (const manager of made.managers)
      await expect.poll(() => nodeCount(manager), { timeout: 20_000 }).toBe(3);
  }, 60_000);
});
