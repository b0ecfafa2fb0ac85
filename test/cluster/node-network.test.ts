/** The net process against the real kernel, in network namespaces of the test's own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type NodeConfig,
  netService,
  nodePaths,
  type swarm,
  type ToChild,
} from "../../src/api/index.js";

const NODE_ID = "testnet00123456789abcdefg";
const HOST_NS = "t-net-host";
const PEER_NS = "t-net-peer";
const main = new URL("../../dist/overlay-net/main.js", import.meta.url).pathname;

/** A server that answers with the address it sees. */
const TELL_ADDRESS =
  "require('node:net').createServer((s) => s.end(s.remoteAddress)).listen(9100, '0.0.0.0')";

let dir: string;
let child: ChildProcess;
let client: Client;

function sh(script: string): string {
  return execFileSync("sh", ["-ec", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function inHost(command: string): string {
  return sh(`nsenter --net=/run/netns/${HOST_NS} ${command}`);
}

function nodeConfig(): NodeConfig {
  return {
    hostname: "t",
    stateDir: dir,
    runDir: dir,
    socket: join(dir, "swarm.sock"),
    containerdAddress: "/nowhere",
    containerdNamespace: "t",
    cgroupParent: "/t",
    engine: "containerd",
    runtime: "auto",
    advertiseAddr: "",
    listenAddr: "",
    gwbridgePool: "172.20.0.0/14",
    genericResources: [],
    logLevel: "warn",
  };
}

async function startNet(nodeId: string | undefined): Promise<void> {
  child = spawn("nsenter", [`--net=/run/netns/${HOST_NS}`, process.execPath, main], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    serialization: "advanced",
  });
  const identity = nodeId === undefined ? undefined : { nodeId };
  child.send({ kind: "start", config: nodeConfig(), identity, bootId: "b" } as unknown as ToChild);
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`net ended with ${code}`)));
  });
  client = new Client(`unix:${nodePaths(nodeConfig()).netSocket}`, credentials.createInsecure());
}

async function stopNet(): Promise<void> {
  client.close();
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

function call<Req, Res>(
  method: {
    path: string;
    requestSerialize(value: Req): Buffer;
    responseDeserialize(bytes: Buffer): Res;
  },
  request: Req,
): Promise<Res> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      (value: Req) => method.requestSerialize(value),
      (bytes: Buffer) => method.responseDeserialize(bytes),
      request,
      (error, reply) => {
        if (error !== null) reject(error);
        else resolve(reply as Res);
      },
    );
  });
}

const attach = (request: swarm.net.AttachRequest.$Properties): Promise<swarm.net.AttachReply> =>
  call(netService.attach, request) as Promise<swarm.net.AttachReply>;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "swarm-net-"));
  sh(`ip netns add ${HOST_NS}; ip netns add ${PEER_NS}
      ip link add name tneth0 type veth peer name eth0 netns ${PEER_NS}; ip link set tneth0 netns ${HOST_NS} name eth0
      nsenter --net=/run/netns/${HOST_NS} sh -c 'ip link set lo up; ip addr add 10.97.0.1/24 dev eth0; ip link set eth0 up'
      nsenter --net=/run/netns/${PEER_NS} sh -c 'ip link set lo up; ip addr add 10.97.0.2/24 dev eth0; ip link set eth0 up'`);
  await startNet(NODE_ID);
});

afterAll(async () => {
  await stopNet();
  sh(`for n in $(ls /run/netns | grep -E '^(swarm-testnet0-|t-net-)'); do ip netns del $n; done`);
  rmSync(dir, { recursive: true });
});

test("a container gets a namespace with an address and reaches the outside under the node's address", async () => {
  const reply = await attach({ containerId: "c1", mode: "default" });
  expect(reply.address).toMatch(/^172\.20\.0\.\d+\/20$/);
  const server = spawn(
    "nsenter",
    [`--net=/run/netns/${PEER_NS}`, process.execPath, "-e", TELL_ADDRESS],
    { stdio: "ignore" },
  );
  const ask = `nsenter --net=${reply.netnsPath} busybox nc -w 2 10.97.0.2 9100 </dev/null`;
  const seen = sh(`for i in $(seq 20); do ${ask} && exit 0; sleep 0.1; done; exit 1`);
  server.kill("SIGKILL");
  // The server sees the node's own address: the source was masqueraded.
  expect(seen).toContain("10.97.0.1");
});

test("a published port answers from outside and on the host's loopback, and stops when released", async () => {
  const reply = await attach({
    containerId: "c2",
    mode: "default",
    hostPorts: [{ protocol: "tcp", targetPort: 80, publishedPort: 0 }],
  });
  const port = reply.hostPorts[0]?.publishedPort ?? 0;
  const web = spawn(
    "nsenter",
    [`--net=${reply.netnsPath}`, "busybox", "httpd", "-f", "-p", "80", "-h", "/etc"],
    { stdio: "ignore" },
  );
  // Not by a statically linked tool: name services crash those on some hosts.
  const get = `fetch(process.argv[1]).then((r) => r.text()).then((t) => process.stdout.write(t))`;
  const fetchFrom = (ns: string, host: string): string =>
    sh(
      `for i in 1 2 3 4 5 6 7 8 9 10; do nsenter --net=/run/netns/${ns} ${process.execPath} -e '${get}' http://${host}:${port}/passwd 2>/dev/null && exit 0; sleep 0.1; done; exit 1`,
    );
  expect(fetchFrom(PEER_NS, "10.97.0.1")).toContain("root:");
  expect(fetchFrom(HOST_NS, "127.0.0.1")).toContain("root:");
  await call(netService.release, { containerId: "c2" });
  expect(() =>
    sh(`nsenter --net=/run/netns/${PEER_NS} busybox nc -w 1 -z 10.97.0.1 ${port}`),
  ).toThrow();
  web.kill("SIGKILL");
});

test("containers of one node do not reach each other over the bridge", async () => {
  const [a, b] = await Promise.all([
    attach({ containerId: "a", mode: "default" }),
    attach({ containerId: "b", mode: "default" }),
  ]);
  const target = b.address.split("/")[0];
  expect(() => sh(`nsenter --net=${a.netnsPath} busybox ping -c 1 -W 1 ${target}`)).toThrow();
});

test("what a killed net process had half made is taken away, and keeps nobody from starting", async () => {
  const half = `/run/netns/swarm-${NODE_ID.slice(0, 8)}-spare77`;
  await stopNet();
  // Its name is there before the namespace is.
  writeFileSync(half, "");
  await startNet(NODE_ID);
  await attach({ containerId: "c4", mode: "default", hostPorts: [] });
  await call(netService.release, { containerId: "c4" });
  expect(existsSync(half)).toBe(false);
});

test("a killed net process leaves everything in place and knows it again", async () => {
  const request = {
    containerId: "c3",
    mode: "default",
    hostPorts: [{ protocol: "udp", targetPort: 53, publishedPort: 0 }],
  };
  const before = await attach(request);
  const rules = inHost("nft list ruleset");
  await stopNet();
  expect(inHost("nft list ruleset")).toBe(rules);
  await startNet(NODE_ID);
  expect(await attach(request)).toEqual(before);
  // What it made before its death it can still take away.
  await call(netService.release, { containerId: "c1" });
  expect(sh("ls /run/netns")).not.toContain("swarm-testnet0-c1");
});

test("leaving the cluster removes bridge, rules and namespaces, and nothing of others", async () => {
  sh("ip netns add swarm-foreign0-x");
  const status = (await call(netService.status, {})) as swarm.net.StatusReply;
  child.send({ kind: "identity", identity: undefined });
  const deadline = Date.now() + 10_000;
  while (
    inHost("ip -o link").includes(status.bridge) ||
    inHost("nft list tables").includes("swarm_testnet0") ||
    sh("ls /run/netns").includes("swarm-testnet0-")
  ) {
    if (Date.now() > deadline) throw new Error("bridge, table or namespaces still there");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(sh("ls /run/netns")).toContain("swarm-foreign0-x");
  sh("ip netns del swarm-foreign0-x");
});
