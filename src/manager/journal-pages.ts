/** The journal between managers, both ends: a page of what one manager's files hold. */
import { status } from "@grpc/grpc-js";
import { controlService } from "../api/index.js";
import { ApiError } from "../base/index.js";
import {
  type JournalPage,
  type JournalPeer,
  type JournalQuery,
  JournalQueryError,
  JournalReadError,
  PAGE_BYTES,
  parseQueryText,
  queryText,
} from "../journal/index.js";
import type { StoreView } from "../store/index.js";
import type { Membership } from "./port.js";
import { type ChannelPool, RpcError, type RpcServer } from "./rpc/index.js";

/** Pages that are made at once; a manager asks for one at a time per query. */
export const PAGES_MAX = 32;
/** What is taken of an answer: a page, and an entry that did not fit any more. */
const ANSWER_BYTES_MAX = 2 * PAGE_BYTES;

const CANCEL_MS = 500;

export type ServePage = (query: JournalQuery, signal: AbortSignal) => Promise<JournalPage>;

/** Rejects calls with INVALID_ARGUMENT for what is no query, and with UNAVAILABLE beyond PAGES_MAX. */
export function registerJournal(server: RpcServer, page: ServePage): void {
  let runningCount = 0;
  server.unary(controlService.readJournal, async ({ queryJson }, _caller, signal) => {
    const query = queryOf(queryJson);
    if (runningCount >= PAGES_MAX)
      throw new ApiError("Unavailable", "too many read this manager's journal; try again");
    runningCount++;
    try {
      const { entries, isEnd } = await page(query, signal);
      return { entries: Buffer.from(entries.join("\n")), isEnd };
    } finally {
      runningCount--;
    }
  });
}

function queryOf(bytes: Uint8Array): JournalQuery {
  try {
    return parseQueryText(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    const isText = error instanceof JournalQueryError;
    const why = isText ? error.message : "query is not UTF-8";
    throw new ApiError("InvalidArgument", `journal: ${why}`, { cause: error });
  }
}

export type JournalPeersParts = {
  readonly members: ReturnType<Membership["members"]>;
  readonly ownMemberId: string;
  readonly store: StoreView;
  readonly channels: ChannelPool;
};

/** The other managers. Not those that are still catching up: what they have begins with the snapshot that they got. */
export function journalPeers(parts: JournalPeersParts): readonly JournalPeer[] {
  const { members, ownMemberId, store, channels } = parts;
  return members
    .filter(({ memberId, isLearner }) => memberId !== ownMemberId && !isLearner)
    .map(({ nodeId, addr }) => ({
      name: `${store.node(nodeId)?.description?.Hostname ?? nodeId} (${addr})`,
      page: (query, call) => askPage(channels, addr, query, call),
    }));
}

async function askPage(
  channels: ChannelPool,
  addr: string,
  query: JournalQuery,
  call: Parameters<JournalPeer["page"]>[1],
): Promise<JournalPage | undefined> {
  const request = { queryJson: Buffer.from(queryText(query)) };
  // Who asks gives up first, in words of its own, and cancels the call.
  const options = { timeoutMs: call.timeoutMs + CANCEL_MS, signal: call.signal };
  try {
    const reply = await channels.unary(addr, controlService.readJournal, request, options);
    const bytes = Buffer.from(reply.entries ?? []);
    if (bytes.length > ANSWER_BYTES_MAX)
      throw new JournalReadError(
        `answered ${bytes.length} bytes, at most ${ANSWER_BYTES_MAX} are taken`,
      );
    const entries = bytes.length === 0 ? [] : bytes.toString("utf8").split("\n");
    return { entries, isEnd: reply.isEnd ?? false };
  } catch (error) {
    if (error instanceof RpcError && error.grpcCode === status.UNIMPLEMENTED) return undefined;
    throw error;
  }
}
