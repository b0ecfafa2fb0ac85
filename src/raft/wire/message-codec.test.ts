import fc from "fast-check";
import { expect, test } from "vitest";
import type { Message } from "../core/message.js";
import { RaftError } from "../errors.js";
import { toLogIndex, toTerm } from "../ids.js";
import { decodeMessage, encodeMessage } from "./message-codec.js";

const index = fc.maxSafeNat().map(toLogIndex);
const term = fc.maxSafeNat().map(toTerm);
const bytes = fc.uint8Array({ maxLength: 40 });
const id = fc.string({ minLength: 1, maxLength: 64, unit: "grapheme" });
const head = { from: fc.constant("x"), to: id, term };
const member = fc.record({ id, context: bytes, isLearner: fc.boolean() });
const membership = fc.record({ members: fc.array(member), removed: fc.array(member) });
const meta = fc.record({ index, term, membership });
const kindOf = fc.constantFrom("data" as const, "membership" as const, "empty" as const);
const entries = fc
  .tuple(fc.nat(), fc.array(fc.record({ term, kind: kindOf, data: bytes })))
  .map(([from, list]) => list.map((entry, i) => ({ ...entry, index: toLogIndex(from + i) })));

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ ...head, kind: fc.constant("preVote" as const), lastIndex: index, lastTerm: term }),
  fc.record({ ...head, kind: fc.constant("preVoteReply" as const), granted: fc.boolean() }),
  fc.record({
    ...head,
    kind: fc.constant("vote" as const),
    lastIndex: index,
    lastTerm: term,
    force: fc.boolean(),
  }),
  fc.record({ ...head, kind: fc.constant("voteReply" as const), granted: fc.boolean() }),
  fc.record({
    ...head,
    kind: fc.constant("append" as const),
    prevIndex: index,
    prevTerm: term,
    commit: index,
    entries,
    context: bytes,
  }),
  fc.record({ ...head, kind: fc.constant("appendReply" as const), match: index }),
  fc.record({
    ...head,
    kind: fc.constant("appendReject" as const),
    prevIndex: index,
    hintIndex: index,
    hintTerm: term,
  }),
  fc.record({
    ...head,
    kind: fc.constant("heartbeat" as const),
    commit: index,
    round: fc.maxSafeNat(),
    context: bytes,
  }),
  fc.record({ ...head, kind: fc.constant("heartbeatReply" as const), round: fc.maxSafeNat() }),
  fc.record({ ...head, kind: fc.constant("timeoutNow" as const) }),
  fc.record({ ...head, kind: fc.constant("removed" as const) }),
  fc.record({ ...head, kind: fc.constant("readIndex" as const), requestId: fc.maxSafeNat() }),
  fc.record({
    ...head,
    kind: fc.constant("readIndexReply" as const),
    requestId: fc.maxSafeNat(),
    index,
  }),
  fc.record({
    ...head,
    kind: fc.constant("snapshotChunk" as const),
    meta,
    totalBytes: fc.maxSafeNat(),
    offset: fc.maxSafeNat(),
    bytes,
    crc: fc.nat(),
    context: bytes,
  }),
  fc.record({
    ...head,
    kind: fc.constant("snapshotAck" as const),
    index,
    nextOffset: fc.maxSafeNat(),
    refused: fc.boolean(),
  }),
);

test("every message comes back as it was", () => {
  fc.assert(
    fc.property(message, (m) => {
      expect(decodeMessage("x", encodeMessage(m))).toEqual(m);
    }),
  );
});

test("cut or changed bytes are refused or decode to something, never crash otherwise", () => {
  fc.assert(
    fc.property(message, fc.nat(), fc.nat(255), (m, at, value) => {
      const encoded = encodeMessage(m).slice();
      encoded[at % encoded.length] = value;
      for (const broken of [encoded, encoded.subarray(0, at % encoded.length)]) {
        try {
          decodeMessage("x", broken);
        } catch (error) {
          expect(error).toBeInstanceOf(RaftError);
        }
      }
    }),
  );
});

/** Written once by format 1; it must stay readable. */
test.each([
  [
    "AQQBYQUJCAcAAgkFAAJoaQoFAgA=",
    { kind: "append", to: "a", term: 5, prevIndex: 9, prevTerm: 8, commit: 7 },
  ],
  ["AQcBYQUHAwA=", { kind: "heartbeat", to: "a", term: 5, commit: 7, round: 3 }],
  ["AQIBYQUJCAE=", { kind: "vote", to: "a", term: 5, lastIndex: 9, lastTerm: 8, force: true }],
])("fixture %s", (text, fields) => {
  expect(decodeMessage("x", Buffer.from(text, "base64"))).toMatchObject(fields);
});
