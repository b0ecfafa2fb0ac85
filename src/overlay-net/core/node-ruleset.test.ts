import { expect, test } from "vitest";
import { netnsName, nodeNames, vethName } from "./names.js";
import { nodeRuleset } from "./node-ruleset.js";

const NAMES = nodeNames("abcdefgh0123456789abcdefg");

test("names derive from the node id and fit the kernel's limits", () => {
  expect(netnsName(NAMES, "task1")).toBe("swarm-abcdefgh-task1");
  expect(NAMES.bridge.length).toBeLessThanOrEqual(15);
  expect(vethName(NAMES, 4095).length).toBeLessThanOrEqual(15);
});

test("veth names of one node differ for every address of its bridge", () => {
  const names = new Set(Array.from({ length: 4096 }, (_, i) => vethName(NAMES, i)));
  expect(names.size).toBe(4096);
});

test("each published port is translated both for traffic from outside and from the host itself", () => {
  const text = nodeRuleset(NAMES, "172.20.0.0/20", [
    { protocol: "udp", publishedPort: 5353, address: "172.20.0.7", targetPort: 53 },
  ]);
  expect(text.match(/meta l4proto udp dnat ip to 172\.20\.0\.7:53$/gm)).toHaveLength(1);
  for (const hook of ["prerouting", "output"])
    for (const priority of [-100, -99])
      expect(text).toMatch(
        new RegExp(
          `type nat hook ${hook} priority ${priority}; policy accept;\n.* fib daddr type local jump ports$`,
          "m",
        ),
      );
});

test("the table is replaced as a whole, in one transaction", () => {
  expect(nodeRuleset(NAMES, "172.20.0.0/20", [])).toMatch(
    /^table inet swarm_abcdefgh \{ \}\ndelete table inet swarm_abcdefgh\n[^]*table inet swarm_abcdefgh \{\n/,
  );
});
