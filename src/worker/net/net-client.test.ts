import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { netService, type swarm } from "../../api/index.js";
import { silentLogger } from "../../base/index.js";
import { NetClient } from "./net-client.js";

type Attach = swarm.net.AttachRequest.$Properties;
type Reply = swarm.net.AttachReply.$Properties;

let dir = "";
let server: Server | undefined;
/** What the net process was asked, in order. */
let asked: string[] = [];
let wireguard = "";
let refusal = "";
let client: NetClient;

async function startNet(): Promise<void> {
  server = new Server();
  const unary =
    <Req, Res>(answer: (request: Req) => Res) =>
    (call: ServerUnaryCall<Req, Res>, done: sendUnaryData<Res>): void =>
      done(null, answer(call.request));
  server.addService(netService, {
    attach: (call: ServerUnaryCall<Attach, Reply>, done: sendUnaryData<Reply>) => {
      asked.push(`attach ${call.request.containerId} ${call.request.mode}`);
      if (refusal !== "") {
        done({ code: status.FAILED_PRECONDITION, details: refusal });
        return;
      }
      done(null, {
        netnsPath: "/run/netns/x",
        address: "172.20.0.2/20",
        hostPorts: [{ protocol: "tcp", targetPort: 80, publishedPort: 32768 }],
        nameservers: ["172.20.0.1"],
      });
    },
    release: unary((request: { containerId?: string | null }) => {
      asked.push(`release ${request.containerId}`);
      return {};
    }),
    connect: unary((request: swarm.net.ConnectRequest.$Properties) => {
      const { containerId, taskId, networkId, dnsServers, dnsOptions } = request;
      asked.push(`connect ${containerId} ${taskId} ${networkId} ${dnsServers} ${dnsOptions}`);
      const network = { name: "app", address: "10.9.0.7", prefixLength: 24, mac: "m" };
      return {
        network: { networkId, ...network, gateway: "10.9.0.1" },
        nameservers: ["127.0.0.11"],
      };
    }),
    disconnect: unary(({ containerId, taskId }: swarm.net.DisconnectRequest.$Properties) => {
      asked.push(`disconnect ${containerId} ${taskId}`);
      return {};
    }),
    flows: unary(({ containerId, taskId }: swarm.net.FlowsRequest.$Properties) => {
      asked.push(`flows ${containerId} ${taskId}`);
      return { open: 3, drainMs: 2_000 };
    }),
    sync: unary((request: { containerIds?: string[] | null }) => {
      asked.push(`sync ${(request.containerIds ?? []).join(",")}`);
      return { released: [] };
    }),
    setNetworks: unary((request: swarm.net.NetworksRequest.$Properties) => {
      asked.push(`networks ${request.complete} ${request.appliesTo}-${request.resultsIn}`);
      return { appliedIndex: request.resultsIn, needsComplete: (request.appliesTo ?? 0) > 0 };
    }),
    verify: unary((request: swarm.net.VerifyRequest.$Properties) => {
      asked.push(`verify ${(request.networkIds ?? []).join(",")} ${request.repair}`);
      const drift = { networkId: "w", netns: "ns", what: "no route", repaired: true };
      const tunnel = { implementation: "wireguard-go", publicKey: "p", pairKeys: ["q"] };
      return { drifts: [drift], appliedIndex: 7, tunnel };
    }),
    status: unary(() => ({
      ...{ bridge: "br0", subnet: "172.20.0.0/20", problems: ["no nft"] },
      wireguard,
    })),
  });
  await new Promise<void>((resolve, reject) => {
    server?.bindAsync(`unix:${dir}/net.sock`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
}

const A = { containerId: "a", mode: "default", hostPorts: [] } as const;
const NEVER = new AbortController().signal;

beforeEach(async () => {
  dir = await mkdtemp(`${tmpdir()}/net-client-`);
  asked = [];
  refusal = "";
  wireguard = "";
  client = new NetClient({
    socketPath: `${dir}/net.sock`,
    wantedIds: () => Promise.resolve(["a", "b"]),
    logger: silentLogger,
  });
});

afterEach(async () => {
  client[Symbol.dispose]();
  server?.forceShutdown();
  await rm(dir, { recursive: true, force: true });
});

test("the wanted containers are told before the first attach, and only then", async () => {
  await startNet();
  const ports = [{ protocol: "tcp", targetPort: 80, publishedPort: 0 }];
  const [first] = await Promise.all([
    client.attach({ containerId: "a", mode: "default", hostPorts: ports }, NEVER),
    client.attach({ containerId: "b", mode: "host", hostPorts: [] }, NEVER),
  ]);
  await client.release("a", NEVER);
  expect(asked[0]).toBe("sync a,b");
  expect(asked.slice(1).sort()).toEqual(["attach a default", "attach b host", "release a"]);
  expect(first).toEqual({
    mode: "default",
    netnsPath: "/run/netns/x",
    address: "172.20.0.2/20",
    gateway: "",
    mac: "",
    hostPorts: [{ protocol: "tcp", targetPort: 80, publishedPort: 32768 }],
    nameservers: ["172.20.0.1"],
    search: [],
    options: [],
    networks: [],
  });
});

test("a network for a container that runs, and what the container has there", async () => {
  await startNet();
  const dns = { nameservers: ["9.9.9.9"], search: [], options: ["ndots:1"] };
  const request = { containerId: "a", taskId: "t", networkId: "n", dns };
  expect(await client.connect(request, NEVER)).toEqual({
    network: {
      ...{ networkId: "n", name: "app", address: "10.9.0.7", prefixLength: 24 },
      ...{ gateway: "10.9.0.1", address6: "", prefixLength6: 0, gateway6: "", mac: "m" },
    },
    ...{ nameservers: ["127.0.0.11"], search: [], options: [] },
  });
  expect(await client.flows("a", NEVER, "t")).toEqual({ open: 3, drainMs: 2_000 });
  await client.disconnect("a", "t", NEVER);
  expect(asked).toEqual(["connect a t n 9.9.9.9 ndots:1", "flows a t", "disconnect a t"]);
});

test("a refusal is final and carries the words of the net process", async () => {
  await startNet();
  refusal = "host port 80/tcp is in use";
  await expect(client.attach(A, NEVER)).rejects.toMatchObject({
    code: "REFUSED",
    message: "host port 80/tcp is in use",
  });
});

test("an absent net process is no refusal; after it comes back the set is told again", async () => {
  await expect(client.attach(A, NEVER)).rejects.toMatchObject({
    code: "NET_DOWN",
  });
  await startNet();
  for (;;) {
    // The channel reconnects within its own back-off of 0.1 to 1 s.
    const result = await client.attach(A, NEVER).catch(() => undefined);
    if (result !== undefined) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(asked).toEqual(["sync a,b", "attach a default"]);
});

test.each([
  { says: "", known: {} },
  { says: "none", known: { wireGuard: "none" } },
  { says: "of a later version", known: {} },
])(
  "status names bridge, problems, and a WireGuard that is known: '$says'",
  async ({ says, known }) => {
    wireguard = says;
    await startNet();
    const problems = ["no nft"];
    const status = { bridge: "br0", subnet: "172.20.0.0/20", problems, ...known };
    expect(await client.status()).toEqual(status);
  },
);

test("a call that is given up is no answer of the net process", async () => {
  await startNet();
  await expect(client.release("a", AbortSignal.abort(new Error("stop")))).rejects.toMatchObject({
    code: "NET_DOWN",
  });
});

const WHOLE = { isComplete: true, appliesTo: 0, resultsIn: 5, body: Buffer.from("{}") };

test("networks and verification go to net as they are", async () => {
  await startNet();
  expect(await client.setNetworks(WHOLE)).toEqual({ appliedIndex: 5, needsComplete: false });
  const delta = { ...WHOLE, isComplete: false, appliesTo: 5, resultsIn: 6 };
  expect(await client.setNetworks(delta)).toEqual({ appliedIndex: 6, needsComplete: true });
  const drift = { networkId: "w", netns: "ns", what: "no route", isRepaired: true };
  expect(await client.verify(["w"], true)).toEqual({
    drifts: [drift],
    appliedIndex: 7,
    tunnel: { Implementation: "wireguard-go", PublicKey: "p", PairKeys: ["q"] },
  });
  expect(asked).toEqual(["networks true 0-5", "networks false 5-6", "verify w true"]);
});

test("a net process that was restarted is noticed though nobody calls it", async () => {
  await startNet();
  let backCount = 0;
  await client.setNetworks(WHOLE);
  const stop = client.onBack(() => {
    backCount += 1;
  });
  server?.forceShutdown();
  await rm(`${dir}/net.sock`, { force: true });
  await startNet();
  // The channel reconnects within its own back-off of 0.1 to 1 s.
  await vi.waitFor(() => expect(backCount).toBe(1), { timeout: 5_000, interval: 20 });
  stop();
});
