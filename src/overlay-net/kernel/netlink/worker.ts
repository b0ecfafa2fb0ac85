/** The thread that speaks to the kernel: everything here is synchronous, so one call ends before the next begins. */
import { parentPort, workerData } from "node:worker_threads";
import { keepHeapSmall } from "../../../base/index.js";
import { KernelError } from "../netns-kernel.js";
import { Engine } from "./engine.js";
import { type Foreign, loadForeign } from "./ffi.js";
import type { FromThread, ThreadData, ToThread } from "./protocol.js";

function post(message: FromThread): void {
  parentPort?.postMessage(message);
}

function load(): Foreign | undefined {
  try {
    return loadForeign();
  } catch (error) {
    post({ kind: "unavailable", reason: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}

function serve(foreign: Foreign): void {
  const { contentsPath } = workerData as ThreadData;
  const engine = new Engine(foreign, contentsPath, (netns) => {
    post({ kind: "changed", netns });
  });
  parentPort?.on("message", ({ id, call }: ToThread) => {
    try {
      post({ kind: "done", id, value: engine.answer(call) });
    } catch (error) {
      const { message } = error instanceof Error ? error : new Error(String(error));
      const code = error instanceof KernelError ? error.code : "FAILED";
      post({ kind: "failed", id, code, message });
    }
    if (call.kind === "close") parentPort?.close();
  });
  post({ kind: "ready" });
  keepHeapSmall();
}

const foreign = load();
if (foreign !== undefined) serve(foreign);
