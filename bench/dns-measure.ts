/**
 * The resolver's figures on this machine. Two processes: this one asks, its child answers. Answers per second with 64 questions in flight,
 * and the latency at 2,000 questions a second, the median of five rounds: a shared machine's pauses are as long as what is measured. Takes
 * eighteen seconds.
 */
import { fork } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import packet from "dns-packet";
import { median } from "./overlay/statistics.js";

const IN_FLIGHT = 64;
const FLOOD_MS = 2_000;
const PACED_MS = 3_000;
const PACED_ROUNDS = 5;
const PACED_PER_MS = 2;

export type DnsFigures = {
  readonly answersPerSec: number;
  /** Latencies at 2,000 questions a second. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Questions without an answer. */
  readonly lostCount: number;
};

export async function measureDns(): Promise<DnsFigures> {
  const child = fork(new URL("./dns-server.js", import.meta.url));
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  try {
    const asked = questions();
    const socket = await openClient(port);
    const answersPerSec = await flood(socket, asked);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const rounds: Paced[] = [];
    for (let i = 0; i < PACED_ROUNDS; i++) rounds.push(await paced(socket, asked));
    socket.close();
    const at = (share: number): number =>
      median(rounds.map(({ latencies }) => latencies[Math.floor(latencies.length * share)] ?? 0));
    const lostCount = rounds.reduce((sum, round) => sum + round.lostCount, 0);
    return { answersPerSec, p50Ms: at(0.5), p99Ms: at(0.99), lostCount };
  } finally {
    child.kill();
  }
}

type Paced = {
  /** Sorted, ms. */
  readonly latencies: readonly number[];
  /** Questions without an answer. */
  readonly lostCount: number;
};

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

/** At PACED_PER_MS questions a millisecond. */
async function paced(socket: Socket, asked: readonly Buffer[]): Promise<Paced> {
  const sentAt: number[] = [];
  const latencies: number[] = [];
  const note = (message: Buffer): void => {
    latencies.push(performance.now() - (sentAt[message.readUInt16BE(0)] ?? 0));
  };
  socket.on("message", note);
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
  socket.off("message", note);
  latencies.sort((a, b) => a - b);
  return { latencies, lostCount: sentAt.length - latencies.length };
}
