/** Both ends of a page of the journal between managers, without a network. */
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { swarm } from "../api/index.js";
import { PAGE_BYTES } from "../journal/index.js";
import type { StoreView } from "../store/index.js";
import { journalPeers, PAGES_MAX, registerJournal } from "./journal-pages.js";
import { type ChannelPool, RpcError, type RpcServer } from "./rpc/index.js";
import { sampleNode } from "./testing/samples.js";

const CALL = { timeoutMs: 100, signal: new AbortController().signal };

type Answer = () => Promise<swarm.control.IReadJournalReply>;

function peers(answer: Answer = () => Promise.resolve({})) {
  const member = (id: string, isLearner = false) => ({
    memberId: id,
    nodeId: `node-${id}`,
    addr: `10.0.0.${id}:2377`,
    isLearner,
  });
  const known = sampleNode({ id: "node-2" });
  const name = known.description?.Hostname ?? "node-2";
  const store = { node: (id: string) => (id === "node-2" ? known : undefined) };
  return {
    name,
    all: journalPeers({
      members: [member("1"), member("2"), member("3"), member("4", true)],
      ownMemberId: "1",
      store: store as unknown as StoreView,
      channels: { unary: answer } as unknown as ChannelPool,
    }),
  };
}

test("the others, by host name where it is known; not those that are still catching up", () => {
  const { all, name } = peers();
  expect(all.map((peer) => peer.name)).toEqual([
    `${name} (10.0.0.2:2377)`,
    "node-3 (10.0.0.3:2377)",
  ]);
});

test.each<{ readonly name: string; readonly answer: Answer; readonly expected: unknown }>([
  { name: "nothing", answer: () => Promise.resolve({}), expected: { entries: [], isEnd: false } },
  {
    name: "two entries",
    answer: () => Promise.resolve({ entries: Buffer.from("a\nb"), isEnd: true }),
    expected: { entries: ["a", "b"], isEnd: true },
  },
  {
    name: "an older version",
    answer: () => Promise.reject(new RpcError(status.UNIMPLEMENTED, "unknown method")),
    expected: undefined,
  },
])("an answer: $name", async ({ answer, expected }) => {
  expect(await peers(answer).all[0]?.page({}, CALL)).toEqual(expected);
});

test.each<{ readonly name: string; readonly answer: Answer; readonly why: RegExp }>([
  {
    name: "more than a page",
    answer: () => Promise.resolve({ entries: Buffer.alloc(2 * PAGE_BYTES + 1) }),
    why: /answered 2097153 bytes, at most 2097152 are taken/,
  },
  {
    name: "a manager that is away",
    answer: () => Promise.reject(new RpcError(status.UNAVAILABLE, "no route")),
    why: /no route/,
  },
])("no answer: $name", async ({ answer, why }) => {
  await expect(peers(answer).all[0]?.page({}, CALL)).rejects.toThrow(why);
});

test("so many pages are made at once, and no more", async () => {
  type Handle = (
    request: { queryJson: Uint8Array },
    caller: unknown,
    signal: AbortSignal,
  ) => unknown;
  const handles: Handle[] = [];
  const server = { unary: (_method: unknown, handle: Handle) => handles.push(handle) };
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  registerJournal(server as unknown as RpcServer, async () => {
    await finished;
    return { entries: ["a", "b"], isEnd: true };
  });
  const ask = () => handles[0]?.({ queryJson: Buffer.from("{}") }, {}, CALL.signal);
  const running = Array.from({ length: PAGES_MAX }, ask);
  await expect(ask()).rejects.toMatchObject({ code: "Unavailable" });
  finish();
  expect(await Promise.all(running)).toEqual(
    running.map(() => ({ entries: Buffer.from("a\nb"), isEnd: true })),
  );
  await expect(ask()).resolves.toMatchObject({ isEnd: true });
});
