import { expect, test } from "vitest";
import { KEEP_FORMER_MS, ROTATE_EVERY_MS, rotationStep, usableKeys } from "./rotation.js";

const OLD = { publicKey: "k1", madeAtMs: 0 };
const NEW = { publicKey: "k2", madeAtMs: ROTATE_EVERY_MS };
const LATER = ROTATE_EVERY_MS + KEEP_FORMER_MS;
const USES_NEW = { isDown: false, ownKey: "k2", isConfirmed: true };
const BOTH = ["k1", "k2"];

test.each([
  { name: "there is none", held: [], at: 0, step: "make" },
  { name: "it is young", held: [OLD], at: ROTATE_EVERY_MS - 1, step: "none" },
  { name: "it has served long enough", held: [OLD], at: ROTATE_EVERY_MS, step: "make" },
  { name: "all peers use its successor", held: [OLD, NEW], at: LATER, step: "dropOldest" },
  { name: "its successor is very young", held: [OLD, NEW], at: LATER - 1, step: "none" },
  {
    name: "the managers have not told of its successor",
    held: [OLD, NEW],
    published: ["k1"],
    at: LATER,
    step: "none",
  },
  {
    name: "a peer uses the former one",
    held: [OLD, NEW],
    peers: [USES_NEW, { ...USES_NEW, ownKey: "k1" }],
    at: LATER,
    step: "none",
  },
  {
    name: "a peer had no handshake since",
    held: [OLD, NEW],
    peers: [{ ...USES_NEW, isConfirmed: false }],
    at: 3 * LATER,
    step: "none",
  },
  {
    name: "only one that is down had none",
    held: [OLD, NEW],
    peers: [USES_NEW, { isDown: true, ownKey: "k1", isConfirmed: false }],
    at: LATER,
    step: "dropOldest",
  },
])("a pair key when $name", ({ held, published = BOTH, peers = [USES_NEW], at, step }) => {
  expect(rotationStep({ held, published, peers, nowMs: at })).toBe(step);
});

test.each([
  { name: "before the managers told of any: the oldest", published: [], keys: ["k1"] },
  { name: "those that the managers told of", published: ["k1"], keys: ["k1"] },
  { name: "oldest first", published: ["k2", "k1"], keys: ["k1", "k2"] },
  { name: "those of an earlier life aside", published: ["k0", "k2"], keys: ["k2"] },
])("usable are $name", ({ published, keys }) => {
  expect(usableKeys([OLD, NEW], published)).toEqual(keys);
});
