/** One request to a node's local Engine API, without a body: over its own socket here, through the manager's tunnel elsewhere. */
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../../base/index.js";
import type { ClusterApi } from "../../manager/index.js";

/** How long a node may take to begin its answer. */
const ANSWER_LIMIT_MS = 10_000;

export type OpenNodeStream = (
  nodeId: string,
  path: string,
  signal: AbortSignal,
) => Promise<IncomingMessage>;

export function nodeStreams(
  cluster: ClusterApi,
  workerSocket: string,
  clock: Clock,
  method: "GET" | "POST" = "GET",
): OpenNodeStream {
  return async (nodeId, path, signal) => {
    const limit = new AbortController();
    const cancel = clock.setTimer(ANSWER_LIMIT_MS, () => {
      limit.abort(new Error(`node ${nodeId} did not answer in ${ANSWER_LIMIT_MS / 1000} s`));
    });
    const either = AbortSignal.any([signal, limit.signal]);
    try {
      const bytes =
        nodeId === cluster.nodeId
          ? connect({ path: workerSocket })
          : await cluster.connectNode(nodeId, either);
      return await ask(bytes, { method, path }, signal, either);
    } finally {
      cancel();
    }
  };
}

function ask(
  bytes: Duplex,
  asked: { readonly method: string; readonly path: string },
  lasting: AbortSignal,
  untilAnswer: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const give = (error: unknown): void => {
      bytes.destroy();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    if (untilAnswer.aborted) {
      give(untilAnswer.reason);
      return;
    }
    const onAbort = (): void => {
      give(untilAnswer.reason);
    };
    untilAnswer.addEventListener("abort", onAbort, { once: true });
    const call = request({
      createConnection: () => bytes,
      ...asked,
      headers: { Host: "node", Connection: "close" },
    });
    call.on("error", give);
    call.on("response", (response) => {
      untilAnswer.removeEventListener("abort", onAbort);
      const stop = (): void => {
        bytes.destroy();
      };
      lasting.addEventListener("abort", stop, { once: true });
      response.once("close", () => {
        lasting.removeEventListener("abort", stop);
        bytes.destroy();
      });
      resolve(response);
    });
    call.end();
  });
}
