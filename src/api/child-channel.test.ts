import { afterEach, beforeEach, expect, test } from "vitest";
import { ChildChannel } from "./child-channel.js";
import type { ToChild } from "./ipc.js";

const EVENTS = ["message", "disconnect", "SIGINT", "SIGTERM"] as const;
type Handler = (...args: unknown[]) => void;
let before: Map<string, readonly Handler[]>;
let send: typeof process.send;

const handlersOf = (event: string): Handler[] => process.rawListeners(event) as Handler[];

beforeEach(() => {
  before = new Map(EVENTS.map((event) => [event, handlersOf(event)]));
  send = process.send;
  process.send = () => true;
});

afterEach(() => {
  for (const event of EVENTS)
    for (const handler of handlersOf(event))
      if (before.get(event)?.includes(handler) !== true) process.removeListener(event, handler);
  if (send === undefined) Reflect.deleteProperty(process, "send");
  else process.send = send;
});

/** As the supervisor's message arrives. */
function arrive(message: object): void {
  process.emit("message", message, undefined);
}

async function connected(): Promise<ChildChannel> {
  const connecting = ChildChannel.connect();
  arrive({ kind: "start" });
  return (await connecting).channel;
}

function heardBy(channel: ChildChannel): ToChild[] {
  const heard: ToChild[] = [];
  channel.listen((message) => heard.push(message));
  return heard;
}

test("what came before a program listens, and still holds, is told to it once", async () => {
  const channel = await connected();
  const old = { kind: "localState", localState: { kind: "pending" } };
  const now = { kind: "localState", localState: { kind: "error" } };
  for (const message of [old, { kind: "stop" }, now]) arrive(message);
  const heard = heardBy(channel);
  expect(heard).toEqual([now, { kind: "stop" }]);
  arrive(old);
  expect(heard).toEqual([now, { kind: "stop" }, old]);
});

test("what is over is not told again: sockets, and the start", async () => {
  const channel = await connected();
  arrive({ kind: "socket", seq: 1 });
  expect(heardBy(channel)).toEqual([]);
});
