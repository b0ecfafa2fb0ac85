/** Who may join and who may call what. Bad attempts are refused, logged, and disturb nobody. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { controlService, dispatcherService } from "../../src/api/index.js";
import { EngineClient } from "../../src/cli/client.js";
import { api, docker, eventually, healthy, node, swarm } from "./playground.js";

const NETNS = "t-identity";
const ADDR = "10.99.0.150";
const SWARMD = new URL("../../dist/node/main.js", import.meta.url).pathname;

let dir: string;
let daemon: ReturnType<typeof spawn>;
let client: EngineClient;

/** One more host on the playground's underlay, with a swarmd that belongs to no cluster yet. */
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "swarm-identity-"));
  execFileSync("sh", [
    "-ec",
    `ip netns add ${NETNS}
     ip link add name spg150 type veth peer name eth0 netns ${NETNS}
     ip link set dev spg150 master swarmpg0 up
     nsenter --net=/run/netns/${NETNS} sh -ec 'ip link set lo up; ip addr add ${ADDR}/24 dev eth0; ip link set eth0 up'`,
  ]);
  daemon = spawn(
    "nsenter",
    [
      `--net=/run/netns/${NETNS}`,
      process.execPath,
      SWARMD,
      ...[
        "--hostname",
        "stranger",
        "--state-dir",
        join(dir, "state"),
        "--run-dir",
        join(dir, "run"),
      ],
      ...["--socket", join(dir, "swarm.sock"), "--advertise-addr", ADDR],
      ...["--containerd-address", "/run/swarm-playground/containerd.sock"],
      ...["--containerd-namespace", "t-identity", "--cgroup-parent", "/swarm-playground/stranger"],
    ],
    { stdio: ["ignore", "ignore", "ignore"] },
  );
  client = new EngineClient(join(dir, "swarm.sock"));
  await eventually("the stranger's API answers", 30_000, () =>
    existsSync(join(dir, "swarm.sock")) ? client.call("GET", "/info").then(() => true) : false,
  );
});

afterAll(async () => {
  const gone = new Promise((resolve) => daemon.once("exit", resolve));
  daemon.kill("SIGTERM");
  await gone;
  // At once: with its namespace alone it would go some time later, and its name be taken until then.
  execFileSync("ip", ["link", "del", "dev", "spg150"]);
  execFileSync("ip", ["netns", "del", NETNS]);
  rmSync(dir, { recursive: true });
});

async function tokens(): Promise<{ Worker: string; Manager: string }> {
  return (
    await api(node("m1")).call<{ JoinTokens: { Worker: string; Manager: string } }>("GET", "/swarm")
  ).JoinTokens;
}

function askToJoin(token: string, remote = "10.99.0.11:2377"): Promise<unknown> {
  return client.call("POST", "/swarm/join", {
    body: {
      ListenAddr: `${ADDR}:2377`,
      AdvertiseAddr: ADDR,
      RemoteAddrs: [remote],
      JoinToken: token,
    },
  });
}

test("a token with a wrong secret is refused with what to do", async () => {
  const parts = (await tokens()).Worker.split("-");
  const wrong = [...parts.slice(0, 3), "0123456789abcdefghijklmno"].join("-");
  await expect(askToJoin(wrong)).rejects.toThrow(/valid join token/);
});

test("a token with another CA's digest is refused before anything is sent", async () => {
  const parts = (await tokens()).Worker.split("-");
  const other = [parts[0], parts[1], "0".repeat(50), parts[3]].join("-");
  await expect(askToJoin(other)).rejects.toThrow(/fingerprint/i);
});

test("a malformed token and an address where nobody listens are each named", async () => {
  await expect(askToJoin("SWMTKN-nonsense")).rejects.toThrow(/token/i);
  await expect(askToJoin((await tokens()).Worker, "10.99.0.21:2377")).rejects.toThrow(
    /10\.99\.0\.21:2377/,
  );
});

test("after refusals the node is as before, and joins with the right token", async () => {
  const info = await client.call<{ Swarm: { LocalNodeState: string } }>("GET", "/info");
  expect(info.Swarm.LocalNodeState).toBe("inactive");
  await askToJoin((await tokens()).Worker);
  await eventually("it is listed as ready", 20_000, async () =>
    (
      await docker(node("m1"), "node", "ls", "--format", "{{.Hostname}} {{.Status}}")
    ).stdout.includes("stranger Ready"),
  );
});

test("a worker's certificate opens no manager call", async () => {
  const certificates = join(dir, "state", "certificates");
  // Key and certificate live in one file.
  const own = readFileSync(join(certificates, "swarm-node.pem"));
  const root = readFileSync(join(certificates, "swarm-root-ca.crt"));
  const grpc = new Client("10.99.0.11:2377", credentials.createSsl(root, own, own), {
    "grpc.ssl_target_name_override": "swarm-manager",
  });
  const error = await new Promise<ServiceError | null>((resolve) => {
    grpc.makeUnaryRequest(
      controlService.submit.path,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      Buffer.alloc(0),
      (failure) => resolve(failure),
    );
  });
  grpc.close();
  expect(error?.code).toBe(7);
});

test("without a certificate only the CA's calls are open", async () => {
  const grpc = new Client(
    "10.99.0.11:2377",
    credentials.createSsl(null, null, null, { rejectUnauthorized: false }),
    {
      "grpc.ssl_target_name_override": "swarm-manager",
    },
  );
  const stream = grpc.makeBidiStreamRequest(
    dispatcherService.session.path,
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => bytes,
  );
  const error = await new Promise<ServiceError>((resolve) => {
    stream.on("error", resolve);
    stream.on("data", () => undefined);
  });
  grpc.close();
  expect([7, 16]).toContain(error.code);
});

test("garbage on port 2377, in the clear and inside TLS, disturbs nobody", async () => {
  for (let i = 0; i < 20; i++) {
    await new Promise<void>((resolve) => {
      const socket = connect(2377, "10.99.0.11", () => socket.write(Buffer.alloc(4096, i)));
      socket.on("error", () => undefined);
      socket.on("close", () => resolve());
      setTimeout(() => socket.destroy(), 200);
    });
  }
  await new Promise<void>((resolve) => {
    const socket = tlsConnect(
      { port: 2377, host: "10.99.0.11", rejectUnauthorized: false, ALPNProtocols: ["h2"] },
      () => socket.write("GET / HTTP/1.1\r\n\r\n"),
    );
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    setTimeout(() => socket.destroy(), 500);
  });
  await healthy();
  expect((await docker(node("m1"), "node", "ls")).code).toBe(0);
});

test("a node that left and was removed is gone from the list", async () => {
  const id = (await client.call<{ Swarm: { NodeID: string } }>("GET", "/info")).Swarm.NodeID;
  await client.call("POST", "/swarm/leave");
  await eventually("it is down", 20_000, async () =>
    (await docker(node("m1"), "node", "ls", "--format", "{{.ID}} {{.Status}}")).stdout.includes(
      `${id} Down`,
    ),
  );
  expect((await swarm(node("m2"), "node", "rm", id)).code).toBe(0);
  expect((await docker(node("m1"), "node", "ls", "-q")).stdout).not.toContain(id);
  await healthy();
});
