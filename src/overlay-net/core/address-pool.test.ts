import fc from "fast-check";
import { expect, test } from "vitest";
import { AddressPool } from "./address-pool.js";
import { formatIpv4, parsePrefix, prefixSize } from "./ipv4.js";

const PREFIX = parsePrefix("10.1.0.0/29");

test("gateway, network and broadcast addresses are never given", () => {
  const pool = new AddressPool(PREFIX);
  const given = Array.from({ length: 6 }, () => pool.take());
  expect(given.map((address) => address && formatIpv4(address))).toEqual([
    "10.1.0.2",
    "10.1.0.3",
    "10.1.0.4",
    "10.1.0.5",
    "10.1.0.6",
    undefined,
  ]);
});

test("of several freed addresses the one free the longest comes first", () => {
  const pool = new AddressPool(PREFIX);
  const all = Array.from({ length: 5 }, () => pool.take() ?? 0);
  pool.free(all[3] ?? 0);
  pool.free(all[1] ?? 0);
  expect([pool.take(), pool.take()]).toEqual([all[3], all[1]]);
});

test("no two live holders ever share an address", () => {
  const commands = fc.array(fc.oneof(fc.constant("take"), fc.nat(4)), { maxLength: 60 });
  fc.assert(
    fc.property(commands, (steps) => {
      const pool = new AddressPool(PREFIX);
      const live: number[] = [];
      for (const step of steps) {
        if (step === "take") {
          const address = pool.take();
          if (address === undefined) expect(live.length).toBe(prefixSize(PREFIX) - 3);
          else {
            expect(live).not.toContain(address);
            live.push(address);
          }
        } else if (typeof step === "number" && step < live.length) {
          pool.free(live.splice(step, 1)[0] ?? 0);
        }
        expect(pool.usedCount).toBe(live.length);
      }
    }),
  );
});
