import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PortConfig } from "../../api/index.js";
import {
  allocatePorts,
  PUBLISHED_PORT_MAX,
  PUBLISHED_PORT_MIN,
  reservedPort,
} from "./port-allocation.js";

const ingress = (target: number, published = 0, set: Partial<PortConfig> = {}): PortConfig => ({
  Protocol: "tcp",
  TargetPort: target,
  PublishMode: "ingress",
  ...(published !== 0 && { PublishedPort: published }),
  ...set,
});

describe("open ports", () => {
  test("get the lowest free numbers, each once per protocol", () => {
    const arbitrary = fc.record({
      Protocol: fc.constantFrom("tcp" as const, "udp" as const),
      TargetPort: fc.integer({ min: 1, max: 3 }),
      PublishMode: fc.constantFrom("ingress" as const, "host" as const),
      PublishedPort: fc.constantFrom(0, 0, 30_001, 30_002),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(arbitrary, {
          maxLength: 6,
          comparator: (a, b) =>
            a.PublishedPort !== 0 &&
            a.PublishedPort === b.PublishedPort &&
            a.Protocol === b.Protocol,
        }),
        fc.uniqueArray(fc.nat(5)),
        (ports, used) => {
          const taken = new Set(used.map((n) => PUBLISHED_PORT_MIN + n));
          const result = allocatePorts(ports, (_protocol, port) => !taken.has(port));
          if (result.kind !== "allocated") throw new Error(result.reason);
          const given = result.ports.filter((port) => port.PublishedPort);
          const keys = given.map((port) => `${port.Protocol}/${port.PublishedPort}`);
          expect(new Set(keys).size).toBe(keys.length);
          for (const [i, port] of result.ports.entries()) {
            const asked = ports[i];
            if (asked?.PublishedPort || asked?.PublishMode === "host") expect(port).toEqual(asked);
            else expect(taken.has(port.PublishedPort ?? 0)).toBe(false);
            if (port.PublishMode === "ingress") expect(port.PublishedPort).toBeLessThan(30_020);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("run out with a reason", () => {
    expect(allocatePorts([ingress(80)], () => false)).toEqual({
      kind: "exhausted",
      reason: "no free published port for 80/tcp: 30000–32767 are all in use",
    });
    const last = allocatePorts([ingress(80)], (_p, port) => port === PUBLISHED_PORT_MAX);
    expect(last).toMatchObject({ ports: [{ PublishedPort: PUBLISHED_PORT_MAX }] });
  });
});

test.each([
  { protocol: "tcp", port: 2377, isReserved: true },
  { protocol: "udp", port: 2377, isReserved: false },
  { protocol: "udp", port: 4790, isReserved: true },
  { protocol: "tcp", port: 4790, isReserved: false },
  { protocol: "udp", port: 4791, isReserved: true },
  { protocol: "udp", port: 4789, isReserved: false },
] as const)(
  "$port/$protocol is the cluster's own: $isReserved",
  ({ protocol, port, isReserved }) => {
    expect(reservedPort(protocol, port, 4790) !== undefined).toBe(isReserved);
  },
);
