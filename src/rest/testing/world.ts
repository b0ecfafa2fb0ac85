/** A door with everything around it: in-memory cluster, a worker on a unix socket, a unix socket for clients. */
import { mkdtempSync, rmSync } from "node:fs";
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type RequestListener,
  request,
  type Server,
} from "node:http";
import { createServer, type Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LocalState } from "../../api/index.js";
import { SeededRandom, SystemClock, silentLogger } from "../../base/index.js";
import type { FileJournalLimits } from "../../journal/index.js";
import type { RestDeps, RestServer } from "../deps.js";
import { createRestServer } from "../server.js";
import { FakeCluster } from "./fake-cluster.js";

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** Parsed body; undefined when it is no JSON. */
  readonly json: unknown;
};

export type World = AsyncDisposable & {
  readonly rest: RestServer;
  readonly cluster: FakeCluster;
  readonly socket: string;
  readonly worker: Server;
  readonly membership: { op: string; body: unknown }[];
  local: LocalState;
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
};

export async function makeWorld(
  options: {
    readonly isManager?: boolean;
    readonly engine?: "containerd" | "simulated";
    readonly worker?: RequestListener;
    readonly local?: Partial<LocalState>;
    readonly deps?: Partial<RestDeps>;
    readonly journalLimits?: Partial<FileJournalLimits>;
  } = {},
): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), "rest-"));
  const cluster = await FakeCluster.create();
  const journal = await cluster.openJournal(join(dir, "journal"), options.journalLimits);
  const isManager = options.isManager ?? true;
  const workerSocket = join(dir, "worker.sock");
  const socket = join(dir, "door.sock");
  const worker = createHttpServer(
    options.worker ??
      ((_request, response) => {
        response.writeHead(404).end();
      }),
  );
  const membership: { op: string; body: unknown }[] = [];
  const state = {
    local: {
      state: "active",
      nodeId: cluster.nodeId,
      nodeAddr: "10.98.0.1",
      error: "",
      isManager,
      managers: [{ nodeId: cluster.nodeId, addr: "10.98.0.1:2377" }],
      ...options.local,
    } satisfies LocalState,
  };
  const rest = await createRestServer({
    config: {
      hostname: "n1",
      stateDir: "/var/lib/swarm",
      runDir: dir,
      socket,
      containerdAddress: "",
      containerdNamespace: "swarm",
      cgroupParent: "",
      runtime: "auto",
      engine: options.engine ?? "containerd",
      advertiseAddr: "",
      listenAddr: "",
      gwbridgePool: "",
      genericResources: [],
      logLevel: "error",
    },
    localState: () => state.local,
    cluster: isManager ? cluster : undefined,
    membership: (op, body) => {
      membership.push({ op, body });
      return Promise.resolve(op === "init" ? cluster.nodeId : { warnings: [] });
    },
    workerSocket,
    clock: new SystemClock(),
    random: new SeededRandom(3),
    logger: silentLogger,
    version: "0.1.0",
    ...options.deps,
  });
  // As the supervisor does it: accept, then hand the paused socket over.
  const door: NetServer = createServer({ pauseOnConnect: true }, (accepted) => {
    rest.acceptSocket(accepted);
  });
  await Promise.all([listen(door, socket), listen(worker, workerSocket)]);
  return {
    rest,
    cluster,
    socket,
    worker,
    membership,
    get local() {
      return state.local;
    },
    set local(value: LocalState) {
      state.local = value;
    },
    call: (method, path, body, headers) => call(socket, method, path, body, headers),
    [Symbol.asyncDispose]: async () => {
      await rest.close();
      await journal[Symbol.asyncDispose]();
      door.close();
      worker.closeAllConnections();
      worker.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function listen(server: NetServer, path: string): Promise<void> {
  return new Promise((resolve) => {
    server.listen(path, () => {
      resolve();
    });
  });
}

export function call(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const sent =
    body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const asked = request({
      socketPath,
      method,
      path,
      agent: false,
      headers: {
        ...(sent === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
    });
    asked.on("error", reject);
    asked.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString("utf8");
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes,
          text,
          json: parsed(text),
        });
      });
    });
    asked.end(sent);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
