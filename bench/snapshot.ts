/**
 * How long a snapshot holds the loop: the longest slice of encoding a store, median and worst of several rounds.
 * `npx rolldown bench/snapshot.ts --platform node --file bench/out/snapshot.mjs && node bench/out/snapshot.mjs`
 */
import { setImmediate } from "node:timers/promises";
import { type Change, encodeTransaction } from "../src/api/index.js";
import { ClusterStore } from "../src/store/index.js";
import {
  id,
  sampleSecret,
  sampleService,
  sampleSpec,
  sampleTask,
  transaction,
} from "../src/store/testing/samples.js";

const TASK_COUNT = 100_000;
const PER_ENTRY = 1000;
/** The largest there can be: 1 MB each, base64. */
const CONFIG_COUNT = 20;
const CONFIG_CHARACTERS = 1_330_000;
const ROUNDS = 9;
const SLICE_MAX_MS = 10;

let sinceMs = 0;
let longestMs = 0;
function endSlice(): void {
  longestMs = Math.max(longestMs, performance.now() - sinceMs);
}
const store = new ClusterStore({
  nowMs: () => performance.now(),
  yieldToLoop: async () => {
    endSlice();
    await setImmediate();
    sinceMs = performance.now();
  },
});

function commit(changes: readonly Change[]): void {
  store.apply(store.index + 1, encodeTransaction(transaction(changes)));
}

const { TaskTemplate: spec } = sampleSpec("svc1");
commit([{ kind: "putService", service: sampleService(1) }]);
for (let from = 1; from <= TASK_COUNT; from += PER_ENTRY) {
  commit(
    Array.from({ length: PER_ENTRY }, (_, i): Change => {
      return { kind: "putTask", task: sampleTask(from + i, { spec, slot: from + i }) };
    }),
  );
}
for (let number = 1; number <= CONFIG_COUNT; number++) {
  const config = { Name: `conf${number}`, Labels: {}, Data: "A".repeat(CONFIG_CHARACTERS) };
  commit([
    { kind: "putConfig", config: { ...sampleSecret(number), id: id("f", number), spec: config } },
  ]);
}

const rounds: { readonly longestMs: number; readonly totalMs: number }[] = [];
let sizeBytes = 0;
for (let round = 0; round < ROUNDS; round++) {
  [longestMs, sizeBytes] = [0, 0];
  const startMs = performance.now();
  sinceMs = startMs;
  for await (const chunk of store.snapshot()) sizeBytes += chunk.length;
  endSlice();
  rounds.push({ longestMs, totalMs: performance.now() - startMs });
}
const sorted = rounds.map((round) => round.longestMs).sort((a, b) => a - b);
const medianMs = sorted[ROUNDS >> 1] ?? 0;
const isGood = medianMs < SLICE_MAX_MS;
process.stdout.write(
  `snapshot of ${TASK_COUNT} tasks and ${CONFIG_COUNT} configs, ${(sizeBytes / 2 ** 20).toFixed(0)} MiB: longest slice ` +
    `${medianMs.toFixed(1)} ms (worst of ${ROUNDS} rounds ${(sorted.at(-1) ?? 0).toFixed(1)} ms, limit ${SLICE_MAX_MS} ms); ` +
    `in all ${(rounds.at(-1)?.totalMs ?? 0).toFixed(0)} ms: ${isGood ? "ok" : "MISSED"}\n`,
);
process.exitCode = isGood ? 0 : 1;
