import { canonicalDelta, canonicalState } from "../core/canonical-state.js";
import { applyDelta, type NetworkDelta } from "../core/network-delta.js";
import type { NetworkState } from "../core/network-state.js";

/** As swarm.net.NetworksRequest. */
export type NetworksMessage = {
  readonly complete: boolean;
  readonly appliesTo: number;
  readonly resultsIn: number;
  /** JSON of a NetworkState when complete, else of a NetworkDelta. */
  readonly body: Uint8Array;
};

export class NetworksMessageError extends Error {
  override readonly name = "NetworksMessageError";
}

/**
 * The state that a message leads to; undefined when it does not follow from `before`. A difference that `before` has already (the reply
 * was lost) leaves it as it is. Throws NetworksMessageError for what no manager sends.
 */
export function stateAfter(
  before: NetworkState | undefined,
  message: NetworksMessage,
  nodeId: string,
): NetworkState | undefined {
  if (message.complete) return completeState(message, nodeId);
  if (before === undefined) return undefined;
  if (message.resultsIn === before.index && message.appliesTo < before.index) return before;
  if (message.appliesTo !== before.index) return undefined;
  const delta = parseBody<NetworkDelta>(message, isDelta);
  return applyDelta(before, canonicalDelta(delta));
}

function completeState(message: NetworksMessage, nodeId: string): NetworkState {
  const state = parseBody<NetworkState>(message, isState);
  if (state.nodeId !== nodeId)
    throw new NetworksMessageError(
      `networks of node "${state.nodeId}" came to node "${nodeId}": send it its own`,
    );
  return canonicalState(state);
}

function parseBody<T extends { readonly index: number }>(
  { body, resultsIn }: NetworksMessage,
  isValid: (value: unknown) => boolean,
): T {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString("utf8"));
  } catch (cause) {
    throw new NetworksMessageError("body_json is not JSON", { cause });
  }
  if (!isValid(value))
    throw new NetworksMessageError("body_json has not the shape of the networks' state");
  const parsed = value as T;
  if (parsed.index !== resultsIn)
    throw new NetworksMessageError(
      `results_in is ${resultsIn}, but body_json leads to index ${parsed.index}`,
    );
  return parsed;
}

const LISTS = ["networks", "endpoints", "services", "nodes"] as const;

function isState(value: unknown): boolean {
  const fields = fieldsOf(value);
  const hasLists = LISTS.every((list) => Array.isArray(fields[list]));
  return hasLists && typeof fields["nodeId"] === "string" && hasIndex(fields);
}

function isDelta(value: unknown): boolean {
  const fields = fieldsOf(value);
  const hasLists = LISTS.every((list) => {
    const { set, removed } = fieldsOf(fields[list]);
    return Array.isArray(set) && Array.isArray(removed);
  });
  return hasLists && hasIndex(fields);
}

function hasIndex({ index }: Readonly<Record<string, unknown>>): boolean {
  return typeof index === "number" && Number.isSafeInteger(index) && index >= 0;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
