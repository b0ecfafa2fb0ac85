import { expect, test } from "vitest";
import type { Operation } from "../../api/index.js";
import { encodeOperation, OPERATION_BYTES_MAX, parseOperation } from "./operation-shape.js";

const update: Operation = {
  kind: "service.update",
  serviceId: "s1",
  version: 7,
  spec: {
    Name: "web",
    Labels: {},
    TaskTemplate: { ContainerSpec: { Image: "i" }, ForceUpdate: 0, Runtime: "container" },
    Mode: { Global: {} },
  },
  rollback: "none",
  registryAuth: undefined,
  registryAuthFrom: "spec",
};

test("an operation survives the wire", () => {
  expect(parseOperation(encodeOperation(update))).toEqual(update);
});

test.each([
  { name: "no JSON", text: "{", says: "not JSON" },
  { name: "a list", text: "[]", says: "not an object" },
  { name: "an unknown kind", text: '{"kind":"reboot"}', says: "unknown kind" },
  { name: "a kind from the prototype", text: '{"kind":"toString"}', says: "unknown kind" },
  { name: "a missing field", text: '{"kind":"service.remove"}', says: "serviceId" },
  { name: "a wrong type", text: '{"kind":"node.remove","nodeId":"n","force":1}', says: "force" },
  {
    name: "a negative version",
    text: '{"kind":"node.update","nodeId":"n","version":-1,"spec":{}}',
    says: "version",
  },
  {
    name: "a field this version does not know",
    text: '{"kind":"raft.leave","nodeId":"n","later":true}',
    says: "later",
  },
  { name: "too many bytes", text: `"${"x".repeat(OPERATION_BYTES_MAX)}"`, says: "at most" },
])("refused with its name: $name", ({ text, says }) => {
  expect(() => parseOperation(Buffer.from(text))).toThrow(says);
});
