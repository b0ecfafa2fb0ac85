import fc from "fast-check";
import { expect, test } from "vitest";
import type { KernelOperation } from "../../core/kernel-model.js";
import { packOperations, unpackEntries } from "./packed-entries.js";

const link = fc.constantFrom("br0", "vx1001");
const mac = fc.constantFrom("02:42:0a:00:00:05", "02:42:0a:00:00:06");
const fdb = fc.record({ link, mac, dst: fc.constantFrom("", "192.0.2.9", "2001:db8::9") });
const neighbour = fc.record({ link, mac, address: fc.constantFrom("10.0.0.5", "fd00::5") });

/** Runs of one kind, some of them long enough to be packed. */
const run: fc.Arbitrary<readonly KernelOperation[]> = fc.oneof(
  ...(["replaceFdb", "removeFdb"] as const).map((kind) =>
    fc.array(
      fdb.map((entry) => ({ kind, entry })),
      { maxLength: 40 },
    ),
  ),
  ...(["replaceNeighbour", "removeNeighbour"] as const).map((kind) =>
    fc.array(
      neighbour.map((entry) => ({ kind, entry })),
      { maxLength: 40 },
    ),
  ),
  fc.array(fc.constant({ kind: "removeLink", name: "eth0" } as const), { maxLength: 40 }),
);

test("operations come back as they were, in their order", () => {
  let packedCount = 0;
  fc.assert(
    fc.property(fc.array(run, { maxLength: 6 }), (runs) => {
      const operations = runs.flat();
      const [packed] = packOperations([{ netns: "n", operations }]);
      packedCount += packed?.operations.filter(({ kind }) => kind === "packed").length ?? 0;
      const back = packed?.operations.flatMap((one) =>
        one.kind === "packed" ? [...unpackEntries(one)] : [one],
      );
      expect(packed?.netns).toBe("n");
      expect(back).toEqual(operations);
    }),
  );
  expect(packedCount).toBeGreaterThan(0);
});
