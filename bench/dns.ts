/**
 * The resolver's figures on this machine: `node dist/bench/dns.js` after a build. Two processes: this one asks, its child answers. Prints
 * answers per second with 64 questions in flight, and the latency at 2,000 questions a second. Runs for five seconds.
 */
import { fork } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import packet from "dns-packet";

const IN_FLIGHT = 64;
const FLOOD_MS = 2_000;
const PACED_MS = 3_000;
const PACED_PER_MS = 2;
const TARGET_RATE = 15_000;
const TARGET_P99_MS = 2;

async function openClient(port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.connect(port, "127.0.0.11");
  await once(socket, "connect");
  return socket;
}

function questions(): Buffer[] {
  const names = Array.from({ length: 200 }, (_, i) => `svc${i}`);
  return names.map((name) =>
    packet.encode({
      type: "query",
      flags: packet.RECURSION_DESIRED,
      questions: [{ type: "A", name }],
    }),
  );
}

/** Answers in FLOOD_MS with as many questions open as IN_FLIGHT. */
async function flood(socket: Socket, asked: readonly Buffer[]): Promise<number> {
  let sent = 0;
  let answers = 0;
  const ask = (): void => {
    socket.send(asked[sent++ % asked.length] as Buffer);
  };
  const count = (): void => {
    answers += 1;
    ask();
  };
  socket.on("message", count);
  const start = performance.now();
  for (let i = 0; i < IN_FLIGHT; i += 1) ask();
  await new Promise((resolve) => setTimeout(resolve, FLOOD_MS));
  socket.off("message", count);
  return Math.round((answers * 1_000) / (performance.now() - start));
}

/** Latencies in ms, sorted, at PACED_PER_MS questions a millisecond. */
async function paced(socket: Socket, asked: readonly Buffer[]): Promise<number[]> {
  const sentAt: number[] = [];
  const latencies: number[] = [];
  socket.on("message", (message) => {
    latencies.push(performance.now() - (sentAt[message.readUInt16BE(0)] ?? 0));
  });
  const start = performance.now();
  while (performance.now() - start < PACED_MS) {
    const due = Math.floor((performance.now() - start) * PACED_PER_MS);
    while (sentAt.length < due) {
      const message = Buffer.from(asked[sentAt.length % asked.length] as Buffer);
      message.writeUInt16BE(sentAt.length, 0);
      sentAt.push(performance.now());
      socket.send(message);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  if (latencies.length !== sentAt.length) {
    process.stdout.write(`lost ${sentAt.length - latencies.length} of ${sentAt.length}\n`);
  }
  return latencies.sort((a, b) => a - b);
}

async function main(): Promise<void> {
  const child = fork(new URL("./dns-server.js", import.meta.url));
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  try {
    const asked = questions();
    const socket = await openClient(port);
    const rate = await flood(socket, asked);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const latencies = await paced(socket, asked);
    const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
    socket.close();
    process.stdout.write(
      `answers per second   ${rate}   (asked for: ${TARGET_RATE})\n` +
        `at 2,000 per second  p50 ${at(0.5).toFixed(2)} ms, p99 ${at(0.99).toFixed(2)} ms   (asked for: ${TARGET_P99_MS} ms)\n`,
    );
    if (rate < TARGET_RATE || at(0.99) > TARGET_P99_MS) process.exitCode = 1;
  } finally {
    child.kill();
  }
}

await main();
