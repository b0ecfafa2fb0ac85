import { expect, test } from "vitest";
import { isAsWanted, type NodeVerification, verifyRows } from "./verify-table.js";

const OK = { NodeID: "n".repeat(25), Hostname: "w1", AppliedIndex: 12, Error: "", Drifts: [] };
const drift = (Repaired: boolean) => ({
  NetworkID: "x",
  Netns: "swarm-1",
  What: "no\u001b[2J route",
  Repaired,
});

test.each<{ name: string; node: NodeVerification; row: readonly string[]; isFine: boolean }>([
  { name: "in order", node: OK, row: ["w1", "", "ok", "as of index 12"], isFine: true },
  {
    name: "in order, with an encrypted network",
    node: { ...OK, Encryption: "wireguard-go" },
    row: ["w1", "", "ok", "as of index 12, encrypted by wireguard-go"],
    isFine: true,
  },
  {
    name: "in order, with a kernel that encrypts",
    node: { ...OK, Encryption: "kernel" },
    row: ["w1", "", "ok", "as of index 12, encrypted by the kernel's WireGuard"],
    isFine: true,
  },
  {
    name: "in order, with tasks that take IPv4 alone",
    node: {
      ...OK,
      Proxied6: [80, 81, 82, 83, 84].map((TargetPort) => ({
        ...{ TaskID: "t".repeat(25), Protocol: "tcp", TargetPort },
      })),
    },
    row: [
      ...["w1", "", "ok"],
      "as of index 12; IPv6 passed on to IPv4 for tttttttttttt:80/tcp, tttttttttttt:81/tcp, tttttttttttt:82/tcp, tttttttttttt:83/tcp and 1 more",
    ],
    isFine: true,
  },
  {
    name: "different",
    node: { ...OK, Drifts: [drift(false)] },
    row: ["w1", "swarm-1", "differs", "no [2J route"],
    isFine: false,
  },
  {
    name: "repaired",
    node: { ...OK, Drifts: [drift(true)] },
    row: ["w1", "swarm-1", "repaired", "no [2J route"],
    isFine: true,
  },
  {
    name: "silent",
    node: { ...OK, Hostname: "", Error: "node is away" },
    row: ["nnnnnnnnnnnn", "", "unknown", "node is away"],
    isFine: false,
  },
])("a node that is $name", ({ node, row, isFine }) => {
  expect(verifyRows([node])[1]).toEqual(row);
  expect(isAsWanted([OK, node])).toBe(isFine);
});
