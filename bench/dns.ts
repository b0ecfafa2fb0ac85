/** The resolver's figures on this machine: `node dist/bench/dns.js` after a build. Ends with 1 when a figure misses its limit. */
import { measureDns } from "./dns-measure.js";

const RATE_MIN = 15_000;
const P99_MAX_MS = 2;

const { answersPerSec, p50Ms, p99Ms, lostCount } = await measureDns();
if (lostCount > 0) process.stdout.write(`${lostCount} questions were lost\n`);
process.stdout.write(
  `answers per second   ${answersPerSec}   (at least ${RATE_MIN})\n` +
    `at 2,000 per second  p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms   (at most ${P99_MAX_MS} ms)\n`,
);
if (answersPerSec < RATE_MIN || p99Ms > P99_MAX_MS) process.exitCode = 1;
