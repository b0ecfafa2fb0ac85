import { expect, test } from "vitest";
import { newKeyPair, pairKey } from "./keys.js";

const KEY = /^[A-Za-z0-9+/]{43}=$/;

test("keys are 32 bytes in base64, each time others", () => {
  const pairs = [newKeyPair(), newKeyPair()];
  for (const { privateKey, publicKey } of pairs) {
    expect(privateKey).toMatch(KEY);
    expect(publicKey).toMatch(KEY);
  }
  expect(new Set(pairs.map(({ privateKey }) => privateKey)).size).toBe(2);
});

test("both sides of a pair compute the same key, and no other pair does", () => {
  const [a, b, c] = [newKeyPair(), newKeyPair(), newKeyPair()];
  const nodes = ["nodeA", "nodeB"] as const;
  const shared = pairKey(a.privateKey, b.publicKey, nodes);
  expect(shared).toMatch(KEY);
  expect(pairKey(b.privateKey, a.publicKey, ["nodeB", "nodeA"])).toBe(shared);
  expect(pairKey(c.privateKey, b.publicKey, nodes)).not.toBe(shared);
  expect(pairKey(a.privateKey, b.publicKey, ["nodeA", "nodeC"])).not.toBe(shared);
});

test("a public part that fixes the result is refused", () => {
  const zero = Buffer.alloc(32).toString("base64");
  expect(() => pairKey(newKeyPair().privateKey, zero, ["a", "b"])).toThrow();
});
