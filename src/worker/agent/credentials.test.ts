import { expect, test } from "vitest";
import type { NodeIdentity } from "../../api/index.js";
import { LiveIdentity } from "./credentials.js";

function identity(name: string): NodeIdentity {
  return {
    nodeId: "n1",
    clusterId: "c1",
    role: "worker",
    rootBundlePem: `root ${name}`,
    certificatePem: `cert ${name}`,
    privateKeyPem: `key ${name}`,
    managers: [],
    advertiseAddr: "",
    listenAddr: "",
  };
}

test("listeners hear the identity they came for, and each later one", async () => {
  const live = new LiveIdentity(identity("one"));
  const seen: string[] = [];
  live.addCaCertificateListener((update) => seen.push(String(update?.caCertificate)));
  live.addIdentityCertificateListener((update) =>
    seen.push(`${update?.certificate}, ${update?.privateKey}`),
  );
  expect(seen).toEqual([]);
  await Promise.resolve();
  live.replace(identity("two"));
  expect(seen).toEqual(["root one", "cert one, key one", "root two", "cert two, key two"]);
});

test("who has left hears no more", () => {
  const live = new LiveIdentity(undefined);
  const seen: unknown[] = [];
  const listener = (update: unknown): void => void seen.push(update);
  live.addIdentityCertificateListener(listener);
  live.removeIdentityCertificateListener(listener);
  live.replace(identity("one"));
  expect(seen).toEqual([]);
  expect(live.current?.certificatePem).toBe("cert one");
});
