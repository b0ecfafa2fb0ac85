import { expect, test } from "vitest";
import { EXIT_CODE } from "../../api/index.js";
import {
  actionAfterExit,
  exitReasonOf,
  failuresInRow,
  RECOVERED_AFTER_MS,
} from "./child-policy.js";

test.each([
  { reason: "crash", failureCount: 1, action: { kind: "restart", delayMs: 200 } },
  { reason: "crash", failureCount: 4, action: { kind: "restart", delayMs: 1_600 } },
  { reason: "crash", failureCount: 99, action: { kind: "restart", delayMs: 30_000 } },
  { reason: "ok", failureCount: 1, action: { kind: "restart", delayMs: 200 } },
  { reason: "addressInUse", failureCount: 2, action: { kind: "restart", delayMs: 400 } },
  { reason: "diskFull", failureCount: 1, action: { kind: "restartWhenSpace" } },
  { reason: "removed", failureCount: 1, action: { kind: "askRole" } },
  { reason: "demoted", failureCount: 1, action: { kind: "askRole" } },
  { reason: "walDamaged", failureCount: 1, action: { kind: "hold" } },
  { reason: "locked", failureCount: 1, action: { kind: "hold" } },
  { reason: "certificateExpired", failureCount: 1, action: { kind: "hold" } },
] as const)("end number $failureCount by $reason", ({ reason, failureCount, action }) => {
  expect(actionAfterExit({ reason, failureCount, uptimeMs: 10 })).toEqual(action);
});

test.each([
  { name: "a quick end adds to the row", before: 3, uptimeMs: RECOVERED_AFTER_MS - 1, after: 4 },
  { name: "a long run starts a new row", before: 3, uptimeMs: RECOVERED_AFTER_MS, after: 1 },
])("$name", ({ before, uptimeMs, after }) => {
  expect(failuresInRow(before, uptimeMs)).toBe(after);
});

test.each([
  { code: 0, reason: "ok" },
  { code: 1, reason: "crash" },
  { code: EXIT_CODE.walDamaged, reason: "walDamaged" },
  { code: 139, reason: "crash" },
  { code: null, reason: "crash" },
])("exit code $code means $reason", ({ code, reason }) => {
  expect(exitReasonOf(code)).toBe(reason);
});
