import { expect, test } from "vitest";
import { swarm } from "../../api/index.js";
import { SeededRandom } from "../../base/index.js";
import { FakeCall } from "../testing/fake-call.js";
import { FakeClock, settled } from "../testing/fake-clock.js";
import { cutFrames, FRAME_DATA_MAX } from "./frames.js";
import { type AskNode, TUNNEL_OPEN_MS, Tunnels } from "./tunnels.js";

type Frame = Parameters<typeof swarm.tunnel.TunnelFrame.encode>[0];
const frame = (message: Frame) =>
  swarm.tunnel.TunnelFrame.decode(swarm.tunnel.TunnelFrame.encode(message).finish());
const caller = (nodeId: string) => ({
  peer: { nodeId, clusterId: "c1", role: "worker" as const },
  remoteIp: "10.0.0.5",
});

test.each([
  { name: "nothing", size: 0, frames: [] },
  { name: "one byte", size: 1, frames: [1] },
  { name: "exactly one frame", size: FRAME_DATA_MAX, frames: [FRAME_DATA_MAX] },
  { name: "one byte more", size: FRAME_DATA_MAX + 1, frames: [FRAME_DATA_MAX, 1] },
])("a chunk is cut into frames: $name", ({ size, frames }) => {
  expect([...cutFrames(new Uint8Array(size))].map((data) => data.byteLength)).toEqual(frames);
});

class Rig {
  readonly clock = new FakeClock();
  readonly asked: string[] = [];
  ask: AskNode = (_node, tunnelId) => {
    this.asked.push(tunnelId);
    return new Promise(() => {});
  };
  readonly tunnels = new Tunnels({
    clock: this.clock,
    random: new SeededRandom(1),
    ask: (...args) => this.ask(...args),
  });

  dial(nodeId: string, first: Frame) {
    const call = new FakeCall<swarm.tunnel.TunnelFrame, Frame>();
    this.tunnels.accept(call.asCall as never, caller(nodeId));
    call.receive(frame(first));
    return call;
  }

  async open() {
    const connecting = this.tunnels.connect("n1");
    const call = this.dial("n1", { tunnelId: this.asked[0] ?? "" });
    return { call, stream: await connecting };
  }
}

test("bytes go both ways, and each direction ends by itself", async () => {
  const { call, stream } = await new Rig().open();
  stream.end("request");
  await settled();
  expect(call.written.map((f) => [Buffer.from(f.data ?? []).toString(), f.end])).toEqual([
    ["request", undefined],
    ["", true],
  ]);
  const read: Buffer[] = [];
  stream.on("data", (data: Buffer) => read.push(data));
  const ended = new Promise((resolve) => stream.on("end", resolve));
  call.receive(frame({ data: Buffer.from("answer") }));
  expect(call.isEnded).toBe(false);
  call.receive(frame({ end: true }));
  await ended;
  expect(Buffer.concat(read).toString()).toBe("answer");
  expect(call.isEnded).toBe(true);
});

test("a reader that does not read holds the other end back", async () => {
  const { call, stream } = await new Rig().open();
  let receivedCount = 0;
  call.on("data", () => receivedCount++);
  for (let i = 0; i < 20; i++) call.receive(frame({ data: new Uint8Array(FRAME_DATA_MAX) }));
  await settled();
  expect(receivedCount * FRAME_DATA_MAX).toBeLessThanOrEqual(256 * 1024 + FRAME_DATA_MAX);
  let readBytes = 0;
  for await (const chunk of stream) {
    readBytes += (chunk as Buffer).byteLength;
    if (readBytes === 20 * FRAME_DATA_MAX) break;
  }
  expect(receivedCount).toBe(20);
});

test("a node that goes away breaks the stream", async () => {
  const { call, stream } = await new Rig().open();
  const failed = new Promise<Error>((resolve) => stream.on("error", resolve));
  call.cancel();
  expect((await failed).message).toContain("went away");
});

test("nobody but the node that was asked can take a tunnel", async () => {
  const rig = new Rig();
  const connecting = rig.tunnels.connect("n1");
  const thief = rig.dial("n2", { tunnelId: rig.asked[0] ?? "" });
  expect(thief.error).toBeDefined();
  rig.dial("n1", { tunnelId: rig.asked[0] ?? "" });
  await expect(connecting).resolves.toBeDefined();
});

test("a node that does not dial is named after the deadline", async () => {
  const rig = new Rig();
  const outcome = expect(rig.tunnels.connect("n1")).rejects.toMatchObject({
    code: "Unavailable",
    message: expect.stringContaining("node n1"),
  });
  await rig.clock.advance(TUNNEL_OPEN_MS);
  await outcome;
  expect(rig.dial("n1", { tunnelId: rig.asked[0] ?? "" }).error).toBeDefined();
});

test("a node that cannot be asked fails the call at once", async () => {
  const rig = new Rig();
  rig.ask = () => Promise.reject(new Error("no session"));
  await expect(rig.tunnels.connect("n1")).rejects.toThrow("no session");
});
