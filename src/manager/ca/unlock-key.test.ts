import { expect, test } from "vitest";
import { SeededRandom } from "../../base/index.js";
import { makeUnlockKey, parseUnlockKey } from "./unlock-key.js";

test("a key has the form that Docker's clients know, and is 32 bytes", () => {
  const key = makeUnlockKey(new SeededRandom(1));
  expect(key).toMatch(/^SWMKEY-1-[A-Za-z0-9+/]{43}$/);
  expect(parseUnlockKey(` ${key}\n`)).toHaveLength(32);
  expect(makeUnlockKey(new SeededRandom(2))).not.toBe(key);
});

test.each([
  "",
  "SWMKEY-1-",
  "SWMKEY-1-xxxx",
  `SWMKEY-2-${"a".repeat(43)}`,
  `SWMTKN-1-${"a".repeat(43)}`,
])("%j is no key", (text) => {
  expect(() => parseUnlockKey(text)).toThrow("invalid unlock key");
});
