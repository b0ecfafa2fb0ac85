import { describe, expect, test } from "vitest";
import { ConstraintError, matchesConstraints, parseConstraint } from "./constraint.js";

const node = {
  id: "n0de1",
  role: "worker",
  addr: "10.1.2.3",
  spec: {
    Labels: { zone: "East", Case: "x", empty: "" },
    Role: "worker",
    Availability: "active",
  },
  description: {
    Hostname: "Host-1",
    Platform: { Architecture: "x86_64", OS: "linux" },
    Resources: { NanoCPUs: 0, MemoryBytes: 0 },
    Engine: { EngineVersion: "1", Labels: { disk: "ssd" }, Plugins: [] },
    EngineKind: "containerd",
  },
} as const;

describe("parseConstraint", () => {
  test.each([
    { text: "node.role==manager", key: "node.role", operator: "==", value: "manager" },
    { text: " node.role != manager ", key: "node.role", operator: "!=", value: "manager" },
    { text: "a.b==c!d", error: "value 'c!d' is invalid" },
    {
      text: "node.labels.q==^a.*[b](c)?$|/d+\\",
      key: "node.labels.q",
      operator: "==",
      value: "^a.*[b](c)?$|/d+\\",
    },
    { text: "node.role", error: "constraint expected one operator from ==, !=" },
    { text: "node.role=manager", error: "constraint expected one operator from ==, !=" },
    { text: "node.id>1", error: "constraint expected one operator from ==, !=" },
    { text: "==x", error: "key '' is invalid" },
    { text: "1a==x", error: "key '1a' is invalid" },
    { text: "a==x", error: "key 'a' is invalid" },
    { text: "node.role==", error: "value '' is invalid" },
    { text: "node.role===x", error: "value '=x' is invalid" },
    { text: "x!=y==z", error: "key 'x!=y' is invalid" },
  ])("reads '$text'", ({ text, error, ...expected }) => {
    if (error === undefined) expect(parseConstraint(text)).toEqual(expected);
    else expect(() => parseConstraint(text)).toThrow(new ConstraintError(error));
  });
});

describe("matchesConstraints", () => {
  test.each([
    ["node.id==N0DE1", true],
    ["node.id!=n0de1", false],
    ["node.hostname==host-1", true],
    ["NODE.HOSTNAME==host-1", true],
    ["node.role==worker", true],
    ["node.role!=manager", true],
    ["node.platform.os==linux", true],
    ["node.platform.arch==x86_64", true],
    ["node.platform.arch==amd64", false],
    ["node.labels.zone==east", true],
    ["node.labels.Zone==east", false],
    ["node.labels.zone==ea*", false],
    ["node.labels.absent!=x", true],
    ["node.labels.absent==x", false],
    ["engine.labels.disk==ssd", true],
    ["engine.labels.disk!=ssd", false],
    ["node.ip==10.1.2.3", true],
    ["node.ip!=10.1.2.3", false],
    ["node.ip==10.1.0.0/16", true],
    ["node.ip!=10.1.0.0/16", false],
    ["node.ip==10.2.0.0/16", false],
    ["node.ip==fd00::/8", false],
    ["node.ip==nonsense", false],
    ["node.nosuch==x", false],
    ["node.nosuch!=x", false],
    ["node.labels.==x", false],
    ["node.labels.constructor!=x", true],
  ])("%s → %s", (text, expected) => {
    expect(matchesConstraints([parseConstraint(text)], node)).toBe(expected);
  });

  test("all of them must hold", () => {
    const constraints = ["node.role==worker", "node.labels.zone!=east"].map(parseConstraint);
    expect(matchesConstraints(constraints, node)).toBe(false);
  });

  test("IPv6 addresses match ranges in any spelling", () => {
    const v6 = { ...node, addr: "fd00:0:0:1::5" };
    expect(matchesConstraints([parseConstraint("node.ip==fd00:0:0:1::/64")], v6)).toBe(true);
    expect(matchesConstraints([parseConstraint("node.ip==fd00::1:0:0:0:5")], v6)).toBe(true);
    expect(matchesConstraints([parseConstraint("node.ip==fd00:0:0:2::/64")], v6)).toBe(false);
  });
});
