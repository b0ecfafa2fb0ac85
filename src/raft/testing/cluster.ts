import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRaft } from "../index.js";
import type {
  CommittedEntry,
  Member,
  MemberId,
  RaftLogger,
  RaftNode,
  RaftOptions,
  StateMachine,
} from "../types.js";

/** Collects every applied entry; its snapshot is the list itself. */
export class ListMachine implements StateMachine {
  items: string[] = [];

  apply(entry: CommittedEntry): unknown {
    const text = new TextDecoder().decode(entry.data);
    this.items.push(text);
    return this.items.length;
  }

  snapshot(): AsyncIterable<Uint8Array> {
    const bytes = new TextEncoder().encode(JSON.stringify(this.items));
    return (async function* () {
      for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
    })();
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    this.items = JSON.parse(Buffer.concat(parts).toString()) as string[];
  }
}

export const SILENT: RaftLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const REAL_CLOCK = {
  nowMs: () => performance.now(),
  setTimer: (delayMs: number, callback: () => void) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

export const TEST_KEY = { keyId: 7, key: new Uint8Array(32).fill(9) };

export type Running = { node: RaftNode; machine: ListMachine; dir: string };

/** Members in one process on the real disk and clock, joined by an in-memory network. */
export class LocalCluster {
  readonly root: string;
  readonly nodes = new Map<MemberId, Running>();
  /** Pairs "from>to" that lose everything. */
  readonly cut = new Set<string>();

  private constructor(root: string) {
    this.root = root;
  }

  static async create(): Promise<LocalCluster> {
    return new LocalCluster(await mkdtemp(join(tmpdir(), "raft-ts-")));
  }

  async open(
    id: MemberId,
    isBootstrap: boolean,
    extra: Partial<RaftOptions> = {},
  ): Promise<Running> {
    const machine = new ListMachine();
    const dir = join(this.root, id);
    const options: RaftOptions = {
      id,
      dir,
      stateMachine: machine,
      transport: {
        send: (to: Member, bytes: Uint8Array) => this.#deliver(id, to.id, bytes),
        setPeers: () => undefined,
      },
      clock: REAL_CLOCK,
      random: { float: Math.random, bytes: (length) => randomBytes(length) },
      logger: SILENT,
      keys: [TEST_KEY],
      activeKeyId: TEST_KEY.keyId,
      ...extra,
    };
    const context = new TextEncoder().encode(`addr-${id}`);
    const node = await openRaft(options, isBootstrap ? { context } : undefined);
    const running = { node, machine, dir };
    this.nodes.set(id, running);
    return running;
  }

  /** a bootstraps; b, c… join as learners and are promoted. */
  async grow(count: number, extra: Partial<RaftOptions> = {}): Promise<void> {
    const ids = [..."abcdefg"].slice(0, count);
    const first = await this.open("a", true, extra);
    await until(() => first.node.status().role === "leader");
    for (const id of ids.slice(1)) {
      await this.open(id, false, extra);
      await this.join(id);
    }
  }

  async join(id: MemberId): Promise<void> {
    const leader = this.leader();
    const context = new TextEncoder().encode(`addr-${id}`);
    await retry(() => leader.node.changeMembership({ kind: "addLearner", id, context }));
    await retry(() => leader.node.changeMembership({ kind: "promote", id }));
  }

  leader(): Running {
    const found = [...this.nodes.values()].find(({ node }) => node.status().role === "leader");
    if (found === undefined) throw new Error("no leader");
    return found;
  }

  get(id: MemberId): Running {
    const found = this.nodes.get(id);
    if (found === undefined) throw new Error(`no ${id}`);
    return found;
  }

  async stop(id: MemberId): Promise<void> {
    const running = this.get(id);
    this.nodes.delete(id);
    await running.node[Symbol.asyncDispose]();
  }

  async destroy(): Promise<void> {
    for (const id of [...this.nodes.keys()]) await this.stop(id);
    await rm(this.root, { recursive: true, force: true });
  }

  #deliver(from: MemberId, to: MemberId, bytes: Uint8Array): boolean {
    if (!this.nodes.has(to) || this.cut.has(`${from}>${to}`)) return false;
    setImmediate(() => this.nodes.get(to)?.node.receive(from, bytes));
    return true;
  }
}

export async function until(isTrue: () => boolean, limitMs = 10_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!isTrue()) {
    if (performance.now() > endMs)
      throw new Error(`not within ${limitMs} ms: ${isTrue.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export async function retry<T>(attempt: () => Promise<T>, limitMs = 10_000): Promise<T> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
