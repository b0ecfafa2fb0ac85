import { describe, expect, test } from "vitest";
import { keptPorts } from "./published-ports.js";
import type { PortConfig } from "./spec.js";

const ingress = (target: number, published = 0, set: Partial<PortConfig> = {}): PortConfig => ({
  Protocol: "tcp",
  TargetPort: target,
  PublishMode: "ingress",
  ...(published !== 0 && { PublishedPort: published }),
  ...set,
});

describe("an update keeps", () => {
  test.each([
    { name: "the number of an open port", wanted: [ingress(80)], kept: [ingress(80, 30_000)] },
    { name: "nothing for another target", wanted: [ingress(81)], kept: [ingress(81)] },
    {
      name: "nothing for another protocol",
      wanted: [ingress(80, 0, { Protocol: "udp" })],
      kept: [ingress(80, 0, { Protocol: "udp" })],
    },
    {
      name: "nothing for another name",
      wanted: [ingress(80, 0, { Name: "web" })],
      kept: [ingress(80, 0, { Name: "web" })],
    },
    { name: "what the user names", wanted: [ingress(80, 8080)], kept: [ingress(80, 8080)] },
    {
      name: "one number for one of two equal ports",
      wanted: [ingress(80), ingress(80)],
      kept: [ingress(80, 30_000), ingress(80)],
    },
    {
      name: "no number that the user now gives to another",
      wanted: [ingress(80), ingress(81, 30_000)],
      kept: [ingress(80), ingress(81, 30_000)],
    },
    {
      name: "nothing for host mode",
      wanted: [ingress(80, 0, { PublishMode: "host" })],
      kept: [ingress(80, 0, { PublishMode: "host" })],
    },
  ])("$name", ({ wanted, kept }) => {
    expect(keptPorts(wanted, [ingress(80, 30_000)])).toEqual(kept);
  });
});
