/** Real managers on loopback: real TLS, real Raft on disk, real gRPC. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, Metadata, type MethodDefinition } from "@grpc/grpc-js";
import {
  caService,
  type ManagerStart,
  type NodeConfig,
  type NodeIdentity,
  type NodeRole,
  nodePaths,
  type Operation,
} from "../../api/index.js";
import {
  ApiError,
  type Logger,
  newId,
  SystemClock,
  SystemRandom,
  silentLogger,
} from "../../base/index.js";
import {
  createCaHandler,
  createCsr,
  createRoot,
  makeJoinTokens,
  type Root,
  signCertificate,
} from "../ca/index.js";
import { Manager } from "../manager.js";
import type { ManagerOptions, ManagerRooms } from "../manager-options.js";
import type { OperationExecutor } from "../port.js";
import { CLUSTER_SPEC, sampleService } from "./samples.js";

export const clock = new SystemClock();
export const random = new SystemRandom();
export type KeyPair = { readonly certificatePem: string; readonly privateKeyPem: string };

/** The least of an executor: certificates and membership for real, nodes and services without validation. */
const BARE_ROOMS: ManagerRooms = {
  leaderLoops: [],
  createExecutor: ({ store, proposer, raftHandlers, ...base }): OperationExecutor => {
    const issue = createCaHandler({ store, proposer, ...base });
    const run = async (
      operation: Operation,
      call: { requestId: string; callerNodeId: string; signal: AbortSignal },
    ): Promise<{ index: number; result: unknown }> => {
      const write = async (change: Parameters<typeof proposer.propose>[0]["changes"][number]) => {
        const kept = store.storedResult(call.requestId);
        if (kept) return { index: kept.index, result: JSON.parse(kept.resultJson) as unknown };
        const resultJson = JSON.stringify({ id: "serviceId" in operation && operation.serviceId });
        const { requestId } = call;
        const at = { requestId, atMs: clock.wallMs(), isClient: true, preconditions: [] };
        const { index } = await proposer.propose({ ...at, changes: [change], resultJson });
        return { index, result: JSON.parse(resultJson) as unknown };
      };
      switch (operation.kind) {
        case "ca.issue":
          return issue(operation, call);
        case "raft.join":
          return raftHandlers["raft.join"](operation, call);
        case "raft.leave":
          return raftHandlers["raft.leave"](operation, call);
        case "service.create": {
          const { serviceId: id, spec } = operation;
          return write({ kind: "putService", service: sampleService({ id, spec }) });
        }
        case "node.update": {
          const node = store.node(operation.nodeId);
          if (node === undefined) throw new ApiError("NotFound", operation.nodeId);
          return write({ kind: "putNode", node: { ...node, spec: operation.spec } });
        }
        case "node.remove":
          return write({ kind: "delete", table: "node", id: operation.nodeId });
        default:
          throw new ApiError("Unimplemented", operation.kind);
      }
    };
    return { execute: run as OperationExecutor["execute"] };
  },
};

export type Ends = { readonly removed: string[]; readonly demoted: string[] };

export class TestCluster {
  readonly clusterId = newId(random);
  readonly managers: Manager[] = [];
  readonly identities: NodeIdentity[] = [];
  /** Names of managers that were told that they are none any more. */
  readonly ends: Ends = { removed: [], demoted: [] };
  /** What the managers warned of. */
  readonly warnings: string[] = [];
  readonly #raftKeys = {
    keys: [{ keyId: 1, keyBase64: Buffer.from(random.bytes(32)).toString("base64") }],
    activeKeyId: 1,
  };
  readonly #dir: string;
  readonly root: Root;
  readonly #tokens: { readonly worker: string; readonly manager: string };

  readonly #rooms: ManagerRooms;

  private constructor(dir: string, root: Root, rooms: ManagerRooms) {
    this.#dir = dir;
    this.#rooms = rooms;
    this.root = root;
    this.#tokens = makeJoinTokens(root.certificatePem, random);
  }

  /** `count` managers, each joined through the first. */
  static async start(count: number, rooms: ManagerRooms = BARE_ROOMS): Promise<TestCluster> {
    const dir = await mkdtemp(join(tmpdir(), "swarm-manager-"));
    const cluster = new TestCluster(dir, await createRoot(Date.now(), random), rooms);
    for (let i = 1; i <= count; i++) await cluster.add(`m${i}`);
    return cluster;
  }

  async add(name: string): Promise<Manager> {
    const [first] = this.identities;
    const nodeId = newId(random);
    const start: ManagerStart =
      first !== undefined
        ? { kind: "join" }
        : {
            kind: "bootstrap",
            clusterId: this.clusterId,
            rootCertPem: this.root.certificatePem,
            rootKeyPem: this.root.privateKeyPem,
            joinTokens: this.#tokens,
            spec: CLUSTER_SPEC,
            availability: "active",
            defaultAddrPool: ["10.0.0.0/8"],
            subnetSize: 24,
            dataPathPort: 4789,
          };
    const keys =
      first === undefined
        ? { nodeId, ...(await this.certificate(nodeId, "manager")) }
        : await this.admit(first, "manager");
    const own = await this.identity(keys);
    this.identities.push(own);
    const manager = await this.open(name, own, start);
    this.managers.push(manager);
    return manager;
  }

  open(name: string, identity: NodeIdentity, start: ManagerStart): Promise<Manager> {
    const options: ManagerOptions = {
      config: this.#config(name),
      identity,
      start,
      raftKeys: this.#raftKeys,
      clock,
      random,
      logger: this.#logger(),
      onRemoved: () => this.ends.removed.push(name),
      onDemoted: () => this.ends.demoted.push(name),
      onFailed: (error) => {
        throw error;
      },
    };
    return Manager.create(options, this.#rooms);
  }

  /** Starts a stopped manager again from its own log. */
  async reopen(index: number, start: ManagerStart = { kind: "resume" }): Promise<Manager> {
    const identity = this.identities[index];
    if (identity === undefined) throw new Error(`no manager ${index}`);
    const manager = await this.open(`m${index + 1}`, identity, start);
    this.managers[index] = manager;
    return manager;
  }

  /** Where the manager's journal is. */
  journalDir(index: number): string {
    return nodePaths(this.#config(`m${index + 1}`)).journalDir;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.managers.map((manager) => manager.stop()));
    await rm(this.#dir, { recursive: true, force: true });
  }

  async certificate(
    nodeId: string,
    role: NodeRole,
    clusterId: string = this.clusterId,
    signed: { readonly nowMs?: number; readonly root?: Root } = {},
  ): Promise<KeyPair> {
    const { csrPem, privateKeyPem } = await createCsr();
    const certificatePem = await signCertificate({
      root: signed.root ?? this.root,
      csrPem,
      nodeId,
      clusterId,
      role,
      nowMs: signed.nowMs ?? Date.now(),
      nodeCertExpiryNs: CLUSTER_SPEC.CAConfig.NodeCertExpiry,
      random,
    });
    return { certificatePem, privateKeyPem };
  }

  /** As a joining node does: a certificate by token from any manager. */
  async admit(via: NodeIdentity, role: NodeRole): Promise<KeyPair & { readonly nodeId: string }> {
    const { csrPem, privateKeyPem } = await createCsr();
    const token = this.#tokens[role];
    const request = { csrPem, token, availability: "active" };
    const reply = await this.call(via, undefined, caService.issue, request);
    const { nodeId, certificatePem } = reply;
    if (!nodeId || !certificatePem) throw new Error("the CA gave no certificate");
    return { nodeId, certificatePem, privateKeyPem };
  }

  /** One call with any certificate or none. */
  async call<Req, Res>(
    to: NodeIdentity,
    own: KeyPair | undefined,
    method: MethodDefinition<Req, Res>,
    request: Req,
  ): Promise<Res> {
    const client = this.client(to, own);
    try {
      return await new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          new Metadata(),
          { deadline: Date.now() + 10_000 },
          (error, value) => (error || value === undefined ? reject(error) : resolve(value)),
        );
      });
    } finally {
      client.close();
    }
  }

  client(to: NodeIdentity, own: KeyPair | undefined): Client {
    return new Client(
      to.advertiseAddr,
      credentials.createSsl(
        Buffer.from(this.root.certificatePem),
        own ? Buffer.from(own.privateKeyPem) : null,
        own ? Buffer.from(own.certificatePem) : null,
      ),
      { "grpc.ssl_target_name_override": "swarm-manager", "grpc.use_local_subchannel_pool": 1 },
    );
  }

  async identity(keys: KeyPair & { readonly nodeId: string }): Promise<NodeIdentity> {
    const addr = `127.0.0.1:${await freePort()}`;
    return {
      ...keys,
      clusterId: this.clusterId,
      role: "manager",
      rootBundlePem: this.root.certificatePem,
      managers: this.identities.map((other) => ({
        nodeId: other.nodeId,
        addr: other.advertiseAddr,
      })),
      advertiseAddr: addr,
      listenAddr: addr,
    };
  }

  #logger(): Logger {
    const logger: Logger = {
      ...silentLogger,
      warn: (_fields, message) => {
        this.warnings.push(message);
      },
      child: () => logger,
    };
    return logger;
  }

  #config(name: string): NodeConfig {
    return {
      hostname: name,
      stateDir: join(this.#dir, name),
      runDir: join(this.#dir, name, "run"),
      socket: "",
      containerdAddress: "",
      containerdNamespace: "",
      cgroupParent: "",
      engine: "simulated",
      runtime: "auto",
      advertiseAddr: "",
      listenAddr: "",
      gwbridgePool: "",
      genericResources: [],
      logLevel: "info",
    };
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Resolves when it holds; fails after the deadline, naming what was waited for. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const endMs = clock.nowMs() + withinMs;
  while (!(await holds())) {
    if (clock.nowMs() > endMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await clock.sleep(20);
  }
}
