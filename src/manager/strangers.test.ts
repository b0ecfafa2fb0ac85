/** Who is turned away on 2377 by TLS and certificates (contracts §3). A manager's own connections work all the while. */
import tls, { connect, DEFAULT_MIN_VERSION } from "node:tls";
import { Metadata, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { caService, controlService, type NodeIdentity } from "../api/index.js";
import { newId } from "../base/index.js";
import { createCsr, createRoot } from "./ca/index.js";
import { METHOD_ACCESS, requireTls13 } from "./rpc/index.js";
import { eventually, type KeyPair, random, TestCluster } from "./testing/cluster-kit.js";

const DAY_MS = 24 * 3_600_000;
/** The sample cluster's certificates are good for 90 days. */
const LIFETIME_MS = 90 * DAY_MS;

let cluster: TestCluster;
let to: NodeIdentity;

beforeAll(async () => {
  requireTls13();
  cluster = await TestCluster.start(3);
  const [first] = cluster.identities;
  if (first === undefined) throw new Error("no manager");
  to = first;
}, 60_000);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  tls.DEFAULT_MIN_VERSION = DEFAULT_MIN_VERSION;
});

/** The protocol that was agreed on, or the error's code. */
function handshake(version: "TLSv1.2" | "TLSv1.3"): Promise<string> {
  const port = Number(to.advertiseAddr.split(":")[1]);
  return new Promise((resolve) => {
    const socket = connect({
      port,
      host: "127.0.0.1",
      minVersion: version,
      maxVersion: version,
      ca: cluster.root.certificatePem,
      servername: "swarm-manager",
      ALPNProtocols: ["h2"],
    });
    socket.on("secureConnect", () => {
      resolve(socket.getProtocol() ?? "none");
      socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
  });
}

test.each([
  { version: "TLSv1.2", becomes: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" },
  { version: "TLSv1.3", becomes: "TLSv1.3" },
] as const)("a client that speaks $version alone gets $becomes", async ({ version, becomes }) => {
  expect(await handshake(version)).toBe(becomes);
});

const strangers: { name: string; make: (nodeId: string) => Promise<KeyPair> }[] = [
  {
    name: "an expired certificate",
    make: (nodeId) =>
      cluster.certificate(nodeId, "manager", cluster.clusterId, {
        nowMs: Date.now() - LIFETIME_MS - DAY_MS,
      }),
  },
  {
    name: "a certificate that is not valid yet",
    make: (nodeId) =>
      cluster.certificate(nodeId, "manager", cluster.clusterId, { nowMs: Date.now() + DAY_MS }),
  },
  {
    name: "a certificate of another CA",
    make: async (nodeId) =>
      cluster.certificate(nodeId, "manager", cluster.clusterId, {
        root: await createRoot(Date.now(), random),
      }),
  },
];

/** One call of any kind with an empty request. */
function callBare(own: KeyPair, path: string): Promise<unknown> {
  const client = cluster.client(to, own);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      () => Buffer.alloc(0),
      (bytes) => bytes,
      undefined,
      new Metadata(),
      { deadline: Date.now() + 10_000 },
      (error, value) => (error === null ? resolve(value) : reject(error)),
    );
  }).finally(() => {
    client.close();
  });
}

const guarded = [...METHOD_ACCESS].flatMap(([path, access]) =>
  access.certificate === "required" ? [path] : [],
);

test("a refused caller that keeps coming is written down once for each method", async () => {
  const own = await strangers[0]?.make(newId(random));
  if (own === undefined) throw new Error("no stranger");
  for (const path of guarded)
    for (let i = 0; i < 3; i++) await expect(callBare(own, path)).rejects.toBeDefined();
  const refusals = cluster.warnings.filter((message) => message.startsWith("call refused"));
  expect(refusals).toHaveLength(guarded.length);
  expect(guarded).toContain(controlService.submit.path);
});

test.each(strangers)("$name opens nothing, though the node is a manager", async ({ make }) => {
  const [, second] = cluster.managers;
  const own = await make(cluster.identities[1]?.nodeId ?? "");
  const leaderBefore = second?.leader();
  for (const path of guarded)
    await expect(callBare(own, path), path).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
      details: expect.stringContaining("check its clock"),
    });
  expect(second?.leader()).toEqual(leaderBefore);
  await expect(second?.read()).resolves.toBeDefined();
});

test.each(strangers)("$name renews and joins nothing", async ({ make }) => {
  const before = cluster.managers[0]?.store.nodes();
  const { csrPem } = await createCsr();
  for (const [token, code] of [
    ["", status.UNAUTHENTICATED],
    ["SWMTKN-1-x-y", status.INVALID_ARGUMENT],
  ] as const)
    await expect(
      cluster.call(to, await make(to.nodeId), caService.issue, {
        csrPem,
        token,
        availability: "active",
      }),
    ).rejects.toMatchObject({ code });
  expect(cluster.managers[0]?.store.nodes()).toEqual(before);
});

test("managers talk on over TLS 1.3", async () => {
  const added = await cluster.add("m4");
  await eventually("the new manager sees all four", async () => {
    return (await added.read()).nodes().length === 4;
  });
});
