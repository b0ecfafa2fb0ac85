import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { credentials, Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type swarm, tunnelService } from "../../api/index.js";
import { until } from "../testing/fake-clock.js";
import { Tunnels } from "./tunnel.js";

type Frame = swarm.tunnel.TunnelFrame.$Properties;
type Call = ServerDuplexStream<Frame, Frame>;

let dir = "";
let manager: Server;
let local: NetServer;
let addr = "";
let calls: Call[] = [];
let sockets: Socket[] = [];
let onSocket: (socket: Socket) => void = () => undefined;

beforeEach(async () => {
  dir = await mkdtemp(`${tmpdir()}/tunnel-`);
  calls = [];
  sockets = [];
  manager = new Server();
  manager.addService(tunnelService, { open: (call: Call) => calls.push(call) });
  const port = await new Promise<number>((resolve, reject) => {
    manager.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  addr = `127.0.0.1:${port}`;
  local = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => local.listen(`${dir}/s.sock`, resolve));
});

afterEach(async () => {
  manager.forceShutdown();
  for (const socket of sockets) socket.destroy();
  local.close();
  await rm(dir, { recursive: true, force: true });
});

const tunnelsTo = (socketPath: string): Tunnels =>
  new Tunnels({ socketPath, credentials: () => credentials.createInsecure() });

async function accepted(): Promise<Call> {
  await until(() => calls.length > 0, "the manager is dialled");
  const [call] = calls;
  if (call === undefined) throw new Error("no call");
  return call;
}

test("names its tunnel first, then passes bytes both ways and ends cleanly", async () => {
  onSocket = (socket) => {
    socket.on("data", (data) => socket.write(`echo ${data.toString()}`));
    socket.on("end", () => socket.end("bye"));
  };
  const tunnels = tunnelsTo(`${dir}/s.sock`);
  await tunnels.open("t1", addr);
  const call = await accepted();
  const frames: Frame[] = [];
  call.on("data", (frame: Frame) => frames.push(frame));
  call.on("end", () => call.end());
  call.write({ data: Buffer.from("hi") });
  await until(() => frames.length >= 2, "echo");
  call.write({ end: true });
  await until(() => tunnels.size === 0, "tunnel closed");
  expect(frames[0]?.tunnelId).toBe("t1");
  const text = frames.map((frame) => Buffer.from(frame.data ?? []).toString()).join("");
  expect(text).toBe("echo hibye");
  expect(frames.at(-1)?.end).toBe(true);
});

test("a large answer is held back while the manager does not read", async () => {
  let isDrained = false;
  const chunk = Buffer.alloc(64 * 1024, 1);
  let sentBytes = 0;
  onSocket = (socket) => {
    const pump = (): void => {
      while (sentBytes < 32 << 20) {
        sentBytes += chunk.length;
        if (!socket.write(chunk)) {
          socket.once("drain", pump);
          return;
        }
      }
      isDrained = true;
      socket.end();
    };
    pump();
  };
  const tunnels = tunnelsTo(`${dir}/s.sock`);
  await tunnels.open("t1", addr);
  const call = await accepted();
  call.pause();
  // Everything that can move has moved when the amount stays the same over many turns.
  let last = -1;
  for (let same = 0; same < 50; ) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    same = sentBytes === last ? same + 1 : 0;
    last = sentBytes;
  }
  expect(isDrained).toBe(false);
  expect(sentBytes).toBeLessThan(4 << 20);
  let receivedBytes = 0;
  call.on("data", (frame: Frame) => {
    receivedBytes += frame.data?.length ?? 0;
  });
  call.on("end", () => call.end());
  call.resume();
  await until(() => receivedBytes === 32 << 20, "all of it arrives");
});

test("a manager that goes away ends the local request", async () => {
  const tunnels = tunnelsTo(`${dir}/s.sock`);
  await tunnels.open("t1", addr);
  await accepted();
  await until(() => sockets.length === 1, "local socket");
  manager.forceShutdown();
  await until(() => tunnels.size === 0, "tunnel closed");
});

test("a manager or a local server that cannot be reached is an error for the one who asked", async () => {
  const noServer = tunnelsTo(`${dir}/none.sock`);
  await expect(noServer.open("t1", addr)).rejects.toThrow("ENOENT");
  expect(noServer.size).toBe(0);
});
