/** Transactions ⇄ the opaque bytes of a Raft entry. */
import type { TaskSpec } from "../spec.js";
import {
  ACTOR_LENGTH_MAX,
  REQUESTER_DOORS,
  type Requester,
  type Transaction,
} from "../transaction.js";
import { swarm } from "../wire.js";
import { changeMessage, readChange } from "./changes.js";
import { CodecError } from "./codec-error.js";
import { textField, timeField } from "./fields.js";
import { preconditionMessage, readPrecondition } from "./preconditions.js";
import { decodeSpec } from "./spec-interning.js";
import { SpecTable } from "./tasks.js";

/** Layout of the entry; a reader refuses any other. */
export const TRANSACTION_FORMAT = 1;
/** Characters of a kept result; it is held in memory for 10,000 requests. */
export const RESULT_LENGTH_MAX = 4096;

/** Throws CodecError for a value that the format cannot carry faithfully. */
export function encodeTransaction(t: Transaction): Uint8Array {
  if (t.resultJson.length > RESULT_LENGTH_MAX)
    throw new CodecError(
      "OUT_OF_RANGE",
      `result of request ${t.requestId} has ${t.resultJson.length} characters, at most ${RESULT_LENGTH_MAX} are kept`,
    );
  const specs: Uint8Array[] = [];
  const table = new SpecTable((bytes) => specs.push(bytes));
  const changes = t.changes.map((change) => changeMessage(change, table.refOf));
  return swarm.objects.Transaction.encode({
    format: TRANSACTION_FORMAT,
    requestId: t.requestId,
    atMs: timeField(t.atMs, "transaction time"),
    isClient: t.isClient,
    preconditions: t.preconditions.map(preconditionMessage),
    changes,
    resultJson: t.resultJson,
    specs,
    ...(t.requester && { requester: requesterMessage(t.requester) }),
  }).finish();
}

/** Throws CodecError, and nothing else, for bytes that are no transaction this version understands in full. */
export function decodeTransaction(bytes: Uint8Array): Transaction {
  const message = parse(bytes);
  if (message.format !== TRANSACTION_FORMAT)
    throw new CodecError("UNSUPPORTED_FORMAT", `transaction format ${message.format} is not known`);
  const specs = message.specs.map((spec) => decodeSpec<TaskSpec>(spec, "transaction.specs"));
  return {
    requestId: message.requestId,
    atMs: timeField(message.atMs, "transaction time"),
    isClient: message.isClient,
    preconditions: message.preconditions.map(readPrecondition),
    changes: message.changes.map((change) => readChange(change, specs)),
    resultJson: message.resultJson,
    ...(message.requester && { requester: readRequester(message.requester) }),
  };
}

/** Cut to what the journal keeps, whoever made it. */
function requesterMessage({ nodeId, door, actor }: Requester): Requester {
  return { nodeId, door, actor: textField(actor.slice(0, ACTOR_LENGTH_MAX)) };
}

/** A door that a later version has is shown as the system's: nothing is decided by it. */
function readRequester(m: {
  nodeId?: string | null;
  door?: string | null;
  actor?: string | null;
}): Requester {
  const door = REQUESTER_DOORS.find((known) => known === m.door) ?? "system";
  return { nodeId: m.nodeId ?? "", door, actor: m.actor ?? "" };
}

function parse(bytes: Uint8Array): ReturnType<typeof swarm.objects.Transaction.decode> {
  try {
    return swarm.objects.Transaction.decode(bytes);
  } catch (error) {
    throw new CodecError("MALFORMED", "transaction is no protobuf message", { cause: error });
  }
}
