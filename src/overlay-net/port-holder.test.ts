import { createServer } from "node:net";
import { expect, test } from "vitest";
import { PortHeldError, PortHolder } from "./port-holder.js";

test("a port is held on both families, and given back on both", async () => {
  const holder = new PortHolder();
  const port = await holder.hold("tcp", 0);
  for (const host of ["127.0.0.1", "::1"])
    await expect(listenOn(host, port)).rejects.toMatchObject({ code: "EADDRINUSE" });
  holder.release("tcp", port);
  for (const host of ["127.0.0.1", "::1"]) await listenOn(host, port);
});

test("one that a program has on IPv6 alone is refused, and not kept on IPv4", async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen({ host: "::", port: 0, ipv6Only: true }, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  const holder = new PortHolder();
  await expect(holder.hold("tcp", port)).rejects.toThrow(PortHeldError);
  await listenOn("127.0.0.1", port);
  server.close();
});

/** Listens for a moment. */
function listenOn(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()));
  });
}
