import { expect, test } from "vitest";
import { checkStream } from "./membership-check.js";
import { FRAME_BYTES_MAX, PeerQueue, QUEUE_BYTES_MAX, QUEUE_MESSAGES_MAX } from "./peer-queue.js";

const group = {
  selfMemberId: "me",
  members: [{ memberId: "a", nodeId: "na" }],
  removed: new Set(["old"]),
};

test.each([
  { name: "the node behind a member", claim: { fromMember: "a", nodeId: "na" }, is: "accepted" },
  {
    name: "another node in a member's name",
    claim: { fromMember: "a", nodeId: "nb" },
    is: "wrong node",
  },
  { name: "a member seen removed", claim: { fromMember: "old", nodeId: "no" }, is: "removed" },
  { name: "a member not heard of", claim: { fromMember: "b", nodeId: "nb" }, is: "unknown" },
  {
    name: "a stream meant for another",
    claim: { fromMember: "a", toMember: "you", nodeId: "na" },
    is: "wrong address",
  },
])("$name: $is", ({ claim, is }) => {
  const decision = checkStream({ toMember: "me", ...claim }, group);
  expect(decision.kind === "refused" ? decision.reason : decision.kind).toBe(is);
});

test("a joining node takes its first leader's word", () => {
  const claim = { fromMember: "b", toMember: "me", nodeId: "nb" };
  expect(checkStream(claim, { ...group, members: [] }).kind).toBe("accepted");
});

test("a queue is limited by count and by bytes, but takes one large message alone", () => {
  const many = new PeerQueue();
  for (let i = 0; i < QUEUE_MESSAGES_MAX; i++) expect(many.push(new Uint8Array(1))).toBe(true);
  expect(many.push(new Uint8Array(1))).toBe(false);
  const large = new PeerQueue();
  expect(large.push(new Uint8Array(QUEUE_BYTES_MAX + 1))).toBe(true);
  expect(large.push(new Uint8Array(1))).toBe(false);
  expect(large.takeFrame()).toHaveLength(1);
  expect(large.push(new Uint8Array(1))).toBe(true);
});

test("frames keep order and stay near their size", () => {
  const queue = new PeerQueue();
  const size = FRAME_BYTES_MAX / 2;
  for (let i = 0; i < 5; i++) queue.push(new Uint8Array(size).fill(i));
  const frames: number[][] = [];
  while (!queue.isEmpty) frames.push(queue.takeFrame().map((message) => message[0] ?? -1));
  expect(frames).toEqual([[0, 1], [2, 3], [4]]);
});
