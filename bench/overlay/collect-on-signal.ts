/**
 * Loaded into a program before its own code, with `--expose-gc`: SIGUSR2 collects the garbage of all its threads. What a collector has left
 * aside so far, a hundred MiB one second and nothing the next, would hide what is kept for good.
 */
import { BroadcastChannel, isMainThread } from "node:worker_threads";

const collect = globalThis.gc;
if (collect === undefined) throw new Error("to be run with --expose-gc");
const threads = new BroadcastChannel("collect-on-signal");
threads.unref();
if (isMainThread)
  process.on("SIGUSR2", () => {
    threads.postMessage("");
    collect();
  });
else threads.onmessage = () => collect();
