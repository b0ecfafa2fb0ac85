import fc from "fast-check";
import { expect, test } from "vitest";
import { nextVni, VNI_MAX, VNI_MIN, wantedVni } from "./vni.js";

test.each([
  { option: undefined, expected: { kind: "any" } },
  { option: "", expected: { kind: "any" } },
  { option: "4097", expected: { kind: "fixed", vni: 4097 } },
  { option: "16777215", expected: { kind: "fixed", vni: VNI_MAX } },
  ...["4095", "16777216", "4097,4098", "x", "-1", "4097 "].map((option) => ({
    option,
    expected: {
      kind: "bad",
      reason: `com.docker.network.driver.overlay.vxlanid_list: "${option}" is not one number from ${VNI_MIN} to ${VNI_MAX}`,
    },
  })),
])("the option $option asks for $expected.kind", ({ option, expected }) => {
  expect(wantedVni(option)).toEqual(expected);
});

test("ids go up from the last one, over those in use, and begin again at the lowest", () => {
  expect(nextVni(() => true, 0)).toBe(VNI_MIN);
  expect(nextVni(() => true, VNI_MAX)).toBe(VNI_MIN);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(20)), fc.nat(20), (used, last) => {
      const inUse = new Set(used.map((n) => VNI_MIN + n));
      const slow = [...Array.from({ length: 22 }, (_, i) => VNI_MIN + last + 1 + i)];
      expect(nextVni((vni) => !inUse.has(vni), VNI_MIN + last)).toBe(
        slow.find((vni) => !inUse.has(vni)),
      );
    }),
    { numRuns: 50 },
  );
});
