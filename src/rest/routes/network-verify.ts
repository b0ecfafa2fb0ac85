/**
 * `POST /networks/{id}/verify?repair=&node=`: what is different in the nodes' kernels from what they were told of the network, and with
 * `repair` puts it right. An extension of the Engine API.
 */
import type { FastifyInstance } from "fastify";
import { isEncrypted, type Network, type Node } from "../../api/index.js";
import type { NetworkVerification } from "../../worker/index.js";
import { pathRef, queryOf, type RestContext } from "../context.js";
import { nodeStreams, type OpenNodeStream } from "../logs/node-stream.js";
import { sendJson } from "../reply.js";
import { resolveNetwork, resolveNode } from "../resolve.js";

/** Nodes asked at a time. */
const NODES_AT_ONCE = 16;
/** Longest answer of a node. */
const ANSWER_MAX_BYTES = 1024 * 1024;
/** A node has this long for the whole answer. */
const ANSWER_WITHIN_MS = 30_000;

export type NodeVerification = Omit<NetworkVerification, "AppliedIndex" | "Tunnel"> & {
  readonly NodeID: string;
  readonly Hostname: string;
  /** Store index that its kernel holds entirely; 0 when it did not answer. */
  readonly AppliedIndex: number;
  /** What encrypts it there; absent where nothing does. */
  readonly Encryption?: string;
  /** Why it could not be asked; "" when it answered. */
  readonly Error: string;
};

export function networkVerifyRoute(app: FastifyInstance, context: RestContext): void {
  app.post("/networks/:ref/verify", async (request, reply) => {
    const query = queryOf(request);
    const mayRepair = query.strictFlag("repair");
    const view = await context.read();
    const network = resolveNetwork(view, pathRef(request));
    const ref = query.text("node");
    // A node that has nothing to do with the network may still hold remains of it.
    const nodes =
      ref === "" ? view.nodes().filter(({ state }) => state === "ready") : [resolveNode(view, ref)];
    const { clock, workerSocket } = context.deps;
    const open = nodeStreams(context.cluster, workerSocket, clock, "POST");
    const found = await eachOf(nodes, (node) =>
      verify(open, node, network, mayRepair, clock.timeout(ANSWER_WITHIN_MS)),
    );
    return sendJson(reply, { Nodes: found });
  });
}

async function verify(
  open: OpenNodeStream,
  { id, description }: Node,
  network: Network,
  mayRepair: boolean,
  signal: AbortSignal,
): Promise<NodeVerification> {
  const node = { NodeID: id, Hostname: description?.Hostname ?? "" };
  const path = `/local/networks/verify?network=${network.id}&repair=${mayRepair}`;
  try {
    const response = await open(id, path, signal);
    const text = await readAll(response);
    if (response.statusCode === 200) {
      const { Tunnel, ...found } = JSON.parse(text) as NetworkVerification;
      const isShown = Tunnel !== undefined && isEncrypted(network.spec);
      return { ...node, ...found, ...(isShown ? { Encryption: Tunnel } : {}), Error: "" };
    }
    const { message } = JSON.parse(text) as { readonly message?: string };
    return { ...node, AppliedIndex: 0, Drifts: [], Error: message ?? `${response.statusCode}` };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { ...node, AppliedIndex: 0, Drifts: [], Error: text };
  }
}

async function readAll(response: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response) {
    sizeBytes += chunk.length;
    if (sizeBytes > ANSWER_MAX_BYTES) throw new Error("the node's answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** In the order of `items`, some at a time. */
async function eachOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const run = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) {
      const item = items[i];
      if (item !== undefined) results[i] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(NODES_AT_ONCE, items.length) }, run));
  return results;
}
