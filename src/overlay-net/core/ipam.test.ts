import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cidr, cidrsOverlap, formatCidr, formatIp, parseCidr } from "../../base/index.js";
import { ADDRESS_REST_MS, firstAddress, freeSubnet, isHostAddress, SubnetPool } from "./ipam.js";

function cidr(text: string): Cidr {
  const found = parseCidr(text);
  if (!found) throw new Error(text);
  return found;
}

function takeAll(pool: SubnetPool, nowMs = 0): string[] {
  const all: string[] = [];
  for (;;) {
    const taken = pool.take(nowMs);
    if (taken.kind === "exhausted") return all;
    all.push(taken.address);
  }
}

describe("addresses of a subnet", () => {
  test.each([
    { name: "IPv4", subnet: "10.0.0.0/29", first: "10.0.0.1", last: "10.0.0.6", count: 6 },
    { name: "IPv4 /31", subnet: "10.0.0.0/31", first: "10.0.0.0", last: "10.0.0.1", count: 2 },
    { name: "IPv4 /32", subnet: "10.0.0.7/32", first: "10.0.0.7", last: "10.0.0.7", count: 1 },
    { name: "IPv6", subnet: "fd00::/125", first: "fd00::1", last: "fd00::7", count: 7 },
    {
      name: "a range inside",
      subnet: "10.0.0.0/24",
      range: "10.0.0.128/30",
      first: "10.0.0.128",
      last: "10.0.0.131",
      count: 4,
    },
    {
      name: "the end kept for nodes",
      subnet: "10.0.0.0/28",
      reservedAtEnd: 8,
      first: "10.0.0.1",
      last: "10.0.0.7",
      count: 7,
    },
  ])("$name: from $first to $last", ({ subnet, range, reservedAtEnd = 0, first, last, count }) => {
    const pool = new SubnetPool({
      subnet: cidr(subnet),
      reservedAtEnd,
      ...(range !== undefined && { range: cidr(range) }),
    });
    const all = takeAll(pool);
    expect(all).toHaveLength(count);
    expect([all[0], all.at(-1)]).toEqual([first, last]);
  });

  test("says what is the matter, and when it will be better", () => {
    const pool = new SubnetPool({ subnet: cidr("10.0.0.0/30") });
    pool.claim("10.0.0.1");
    expect(pool.take(0)).toEqual({ kind: "taken", address: "10.0.0.2" });
    expect(pool.take(0)).toEqual({
      kind: "exhausted",
      reason: "no free address in 10.0.0.0/30: all 2 are in use or were freed less than 60 s ago",
      retryAtMs: undefined,
    });
    pool.free("10.0.0.2", 1000);
    const resting = pool.take(1000 + ADDRESS_REST_MS - 1);
    expect(resting).toMatchObject({ kind: "exhausted", retryAtMs: 1000 + ADDRESS_REST_MS });
    expect(pool.take(1000 + ADDRESS_REST_MS)).toEqual({ kind: "taken", address: "10.0.0.2" });
  });

  test.each([
    { name: "a free one", address: "10.0.0.5", reason: undefined },
    { name: "one outside the range", address: "10.0.0.12", reason: undefined },
    { name: "one in use", address: "10.0.0.2", reason: "address 10.0.0.2 is already in use" },
    {
      name: "the network's own",
      address: "10.0.0.0",
      reason: "10.0.0.0 is no address of 10.0.0.0/28",
    },
    {
      name: "one of another subnet",
      address: "10.9.0.5",
      reason: "10.9.0.5 is no address of 10.0.0.0/28",
    },
    {
      name: "one that rests",
      address: "10.0.0.3",
      reason: "address 10.0.0.3 was freed less than 60 s ago",
    },
  ])("somebody chooses $name", ({ address, reason }) => {
    const pool = new SubnetPool({ subnet: cidr("10.0.0.0/28"), range: cidr("10.0.0.0/29") });
    pool.claim("10.0.0.2");
    pool.claim("10.0.0.3");
    pool.free("10.0.0.3", 1000);
    const found = pool.takeThis(address, 2000);
    if (reason === undefined) {
      expect(found).toEqual({ kind: "taken", address });
      expect(takeAll(pool, 2000)).not.toContain(address);
      expect(pool.takeThis(address, 2000)).toMatchObject({ kind: "exhausted" });
    } else expect(found).toMatchObject({ kind: "exhausted", reason });
    const later = pool.takeThis("10.0.0.3", 1000 + ADDRESS_REST_MS);
    expect(later).toEqual({ kind: "taken", address: "10.0.0.3" });
  });

  test("an address given back before it was written need not rest", () => {
    const pool = new SubnetPool({ subnet: cidr("10.0.0.0/31") });
    takeAll(pool);
    pool.giveBack("10.0.0.1");
    expect(pool.take(0)).toEqual({ kind: "taken", address: "10.0.0.1" });
  });

  /** The rule as one reads it: never used ones upward, then freed ones by age, if rested. */
  class SlowPool {
    readonly held = new Set<string>();
    readonly freed: { address: string; atMs: number }[] = [];
    readonly #all = takeAll(new SubnetPool({ subnet: cidr("10.0.0.0/28") }));
    #used = new Set<string>();

    take(nowMs: number): string | undefined {
      const [oldest] = this.freed;
      const fresh = this.#all.find((address) => !this.#used.has(address));
      const next =
        fresh ?? (oldest && nowMs >= oldest.atMs + ADDRESS_REST_MS ? oldest.address : undefined);
      if (next !== undefined) this.claim(next);
      return next;
    }

    claim(address: string): void {
      this.held.add(address);
      this.#used.add(address);
      const at = this.freed.findIndex((one) => one.address === address);
      if (at >= 0) this.freed.splice(at, 1);
    }

    free(address: string, atMs: number): void {
      this.held.delete(address);
      this.freed.push({ address, atMs });
    }
  }

  test("behaves like the slow model over any history", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("take" as const) }),
      fc.record({ kind: fc.constant("free" as const), which: fc.nat(13) }),
      fc.record({ kind: fc.constant("claim" as const), which: fc.nat(13) }),
      fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1000, ADDRESS_REST_MS) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pool = new SubnetPool({ subnet: cidr("10.0.0.0/28") });
        const slow = new SlowPool();
        let nowMs = 0;
        for (const one of steps) {
          if (one.kind === "wait") nowMs += one.ms;
          else if (one.kind === "take") {
            const taken = pool.take(nowMs);
            expect(taken.kind === "taken" ? taken.address : undefined).toBe(slow.take(nowMs));
          } else {
            const address = formatIp({
              family: 4,
              value: cidr("10.0.0.0/28").base + BigInt(one.which + 1),
            });
            if (one.kind === "claim") {
              pool.claim(address);
              slow.claim(address);
            } else if (slow.held.has(address)) {
              pool.free(address, nowMs);
              slow.free(address, nowMs);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

test("gateways are hosts", () => {
  expect(firstAddress(cidr("10.0.1.0/24"))).toBe("10.0.1.1");
  expect(firstAddress(cidr("fd00::/64"))).toBe("fd00::1");
  expect(isHostAddress(cidr("10.0.1.0/24"), "10.0.1.255")).toBe(false);
  expect(isHostAddress(cidr("10.0.1.0/24"), "10.0.1.254")).toBe(true);
  expect(isHostAddress(cidr("10.0.1.0/24"), "10.0.2.1")).toBe(false);
  expect(isHostAddress(cidr("10.0.1.0/24"), "fd00::1")).toBe(false);
});

describe("choosing a subnet", () => {
  const length = () => 26;
  const arbitrary = fc
    .record({ offset: fc.nat(1023), length: fc.integer({ min: 22, max: 30 }) })
    .map((one) =>
      cidr(`${formatIp({ family: 4, value: 0x0a000000n + BigInt(one.offset) })}/${one.length}`),
    );

  test.each([{ fromEnd: false }, { fromEnd: true }])(
    "finds what trying all would find, from the end: $fromEnd",
    ({ fromEnd }) => {
      const pool = cidr("10.0.0.0/22");
      const all = Array.from({ length: 16 }, (_, i) =>
        cidr(`${formatIp({ family: 4, value: pool.base + BigInt(i * 64) })}/26`),
      );
      fc.assert(
        fc.property(fc.array(arbitrary, { maxLength: 12 }), (taken) => {
          const fits = all.filter((one) => !taken.some((other) => cidrsOverlap(one, other)));
          const expected = fromEnd ? fits.at(-1) : fits[0];
          const found = freeSubnet([pool], length, taken, fromEnd);
          expect(found && formatCidr(found)).toBe(expected && formatCidr(expected));
        }),
        { numRuns: 100 },
      );
    },
  );

  test("goes on in the next pool", () => {
    const pools = [cidr("10.0.0.0/26"), cidr("10.9.0.0/24")];
    const found = freeSubnet(pools, length, [cidr("::/0")]);
    expect(found && formatCidr(found)).toBe("10.0.0.0/26");
    const second = freeSubnet(pools, length, [cidr("10.0.0.0/26")]);
    expect(second && formatCidr(second)).toBe("10.9.0.0/26");
    expect(freeSubnet(pools, length, [cidr("10.0.0.0/8")])).toBeUndefined();
  });
});
