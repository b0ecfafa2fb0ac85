import { expect, test } from "vitest";
import { receivesMounts } from "./ip-kernel.js";

test.each([
  { what: "the same mounts", peer: "shared:1", receives: true },
  { what: "a slave of them, as services have", peer: "master:1", receives: true },
  { what: "a slave that shares its own further", peer: "shared:7 master:1", receives: true },
  { what: "private ones", peer: "", receives: false },
])("containerd in $what receives namespaces made later: $receives", ({ peer, receives }) => {
  const line = (path: string, options: string): string =>
    `77 50 254:0 ${path} ${path} rw,relatime ${options}${options === "" ? "" : " "}- ext4 /dev/vda rw\n`;
  expect(receivesMounts(line("/", "shared:2") + line("/run/netns", peer))).toBe(receives);
});

test("nothing under /run/netns receives nothing", () => {
  expect(receivesMounts("27 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n")).toBe(false);
});
