/**
 * `POST /images/load?all-nodes=1`: one upload goes to every ready node at the same time, through the managers' tunnels. The slowest
 * node sets the pace; nothing is kept on this node. A node that fails drops out, the others go on.
 */
import { connect } from "node:net";
import type { Duplex, Readable } from "node:stream";
import type { Node } from "../../api/index.js";
import { type Clock, doorError } from "../../base/index.js";
import type { ClusterApi } from "../../manager/index.js";
import { NodeUpload, type UploadOutcome } from "./node-upload.js";

/** How long a node may take until its tunnel stands. */
const CONNECT_LIMIT_MS = 10_000;
/** Each node holds up to 256 KiB of the upload in this process; more nodes are better served by a registry. */
export const LOAD_NODES_MAX = 256;
/** Quiet: no progress, one line per image. */
const LOAD_PATH = "/images/load?quiet=1";

export type LoadParts = {
  readonly cluster: ClusterApi;
  readonly workerSocket: string;
  readonly clock: Clock;
};

type Target = { readonly name: string; readonly upload: NodeUpload | undefined; reason: string };

/** JSON lines in the Engine's form: one per node, and one `error` at the end that names the nodes that failed. */
export async function loadEverywhere(
  { cluster, workerSocket, clock }: LoadParts,
  nodes: readonly Node[],
  archive: Readable,
): Promise<string> {
  const ready = nodes.filter((node) => node.state === "ready");
  if (ready.length > LOAD_NODES_MAX) {
    throw doorError(
      "InvalidArgument",
      `images can be loaded on ${LOAD_NODES_MAX} nodes at once, not ${ready.length}: push to a registry instead`,
    );
  }
  const open = async (node: Node): Promise<Target> => {
    const name = nameOf(node);
    try {
      const bytes = await openNode(cluster, workerSocket, clock, node.id);
      return { name, upload: new NodeUpload(bytes, LOAD_PATH, clock), reason: "" };
    } catch (error) {
      return { name, upload: undefined, reason: textOf(error) };
    }
  };
  const targets = await Promise.all(ready.map(open));
  const uploads = targets.flatMap(({ upload }) => (upload === undefined ? [] : [upload]));
  try {
    // The request stays open when the loop is left: its answer still has to go out.
    const pieces = archive.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const piece of pieces) {
      const taking = uploads.filter((upload) => !upload.hasEnded);
      if (taking.length === 0) break;
      await Promise.all(taking.map((upload) => upload.write(piece)));
    }
    archive.resume();
  } catch (error) {
    for (const upload of uploads) upload.fail("the upload broke off");
    throw error;
  }
  const outcomes = await Promise.all(
    targets.map(async ({ name, upload, reason }) => ({
      name,
      outcome: (await upload?.finish()) ?? ({ kind: "failed", reason } as const),
    })),
  );
  const away = nodes.filter((node) => node.state !== "ready");
  return report(
    outcomes,
    away.map((node) => `${nameOf(node)}: skipped, the node is ${node.state}`),
  );
}

async function openNode(
  cluster: ClusterApi,
  workerSocket: string,
  clock: Clock,
  nodeId: string,
): Promise<Duplex> {
  if (nodeId === cluster.nodeId) return connect({ path: workerSocket });
  const limit = new AbortController();
  const cancel = clock.setTimer(CONNECT_LIMIT_MS, () => {
    limit.abort(new Error(`no connection within ${CONNECT_LIMIT_MS / 1000} s`));
  });
  try {
    return await cluster.connectNode(nodeId, limit.signal);
  } finally {
    cancel();
  }
}

function report(
  outcomes: readonly { readonly name: string; readonly outcome: UploadOutcome }[],
  skipped: readonly string[],
): string {
  const lines = outcomes.map(({ name, outcome }) =>
    outcome.kind === "done"
      ? `${name}: ${loadedNames(outcome.text)}`
      : `${name}: failed: ${outcome.reason}`,
  );
  const failed = outcomes.filter(({ outcome }) => outcome.kind === "failed");
  const entries: object[] = [...lines, ...skipped].map((line) => ({ stream: `${line}\n` }));
  if (failed.length > 0) {
    const names = failed.map(({ name }) => name).join(", ");
    const message = `the image was not loaded on ${failed.length} of ${outcomes.length} nodes: ${names}`;
    entries.push({ error: message, errorDetail: { message } });
  }
  return entries.map((entry) => `${JSON.stringify(entry)}\r\n`).join("");
}

/** "Loaded image: a:1, Loaded image: b:2": the worker's lines on one. */
function loadedNames(text: string): string {
  const lines = text.split("\n").flatMap((line) => {
    if (line.trim() === "") return [];
    const { stream } = JSON.parse(line) as { stream?: unknown };
    return typeof stream === "string" ? [stream.trim()] : [];
  });
  return lines.length === 0 ? "loaded" : lines.join(", ");
}

function nameOf(node: Node): string {
  return node.description?.Hostname ?? node.id;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
