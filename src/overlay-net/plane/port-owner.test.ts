import { createServer } from "node:net";
import { expect, test } from "vitest";
import { listenerInodes, portOwner } from "./port-owner.js";

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0
   2: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0
`;

test.each([
  { name: "listening TCP sockets of the port", protocol: "tcp", port: 8080, inodes: ["4711"] },
  { name: "bound UDP sockets", protocol: "udp", port: 8080, inodes: ["4711", "4712"] },
  { name: "none of another port", protocol: "tcp", port: 80, inodes: [] },
])("finds $name", ({ protocol, port, inodes }) => {
  expect(listenerInodes(TABLE, protocol, port)).toEqual(inodes);
});

test("a port of this very process is a container's own", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  expect(await portOwner("tcp", port)).toMatch(/container of this node/);
  server.close();
});
