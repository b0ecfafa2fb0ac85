import { connect, createServer, type Server } from "node:net";
import { expect, test } from "vitest";
import { silentLogger } from "../../base/index.js";
import { IngressPorts } from "./ingress-ports.js";
import { type ListenOnPort, listenOnPort, type Port, sctpProblem } from "./port-listeners.js";

const WEB: Port = { protocol: "tcp", publishedPort: 8080 };

/** Ports of a host without sockets. */
class Host {
  readonly taken = new Set<number>();
  readonly listen: ListenOnPort = ({ publishedPort }) => {
    if (this.taken.has(publishedPort))
      return Promise.reject(Object.assign(new Error("taken"), { code: "EADDRINUSE" }));
    this.taken.add(publishedPort);
    return Promise.resolve(() => this.taken.delete(publishedPort));
  };
}

function portsOn(host: Host, live: readonly Port[] = []): IngressPorts {
  const ownerOf = () => Promise.resolve("nginx (pid 7)");
  return new IngressPorts({ listen: host.listen, ownerOf, logger: silentLogger, live });
}

test("a port held by another program gets no rule, is named, and is taken when it is free", async () => {
  const host = new Host();
  host.taken.add(8080);
  const ports = portsOn(host);
  await ports.hold([WEB]);
  expect(ports.ruled).toEqual([]);
  expect(ports.problems[0]).toContain("port 8080/tcp held by nginx (pid 7)");
  expect(await ports.retry([WEB])).toBe(false);
  host.taken.delete(8080);
  expect(await ports.retry([WEB])).toBe(true);
  expect([ports.ruled, ports.problems]).toEqual([[WEB], []]);
});

test("a rule that was live before a restart is kept though the port is lost, and goes with its service", async () => {
  const host = new Host();
  host.taken.add(8080);
  const ports = portsOn(host, [WEB]);
  await ports.hold([WEB]);
  expect(ports.ruled).toEqual([WEB]);
  expect(ports.problems[0]).toContain("tasks answer there as before");
  ports.keepOnly([]);
  expect([ports.ruled, ports.problems]).toEqual([[], []]);
});

test("a port that is not wanted any more is free again", async () => {
  const host = new Host();
  const ports = portsOn(host);
  await ports.hold([WEB, { protocol: "tcp", publishedPort: 81 }]);
  ports.keepOnly([WEB]);
  expect([...host.taken]).toEqual([8080]);
});

test.each([
  { name: "tracked", settings: ["nf_conntrack_max", "nf_conntrack_sctp_timeout_closed"], says: "" },
  { name: "not tracked", settings: ["nf_conntrack_max"], says: "does not track SCTP" },
  { name: "not known yet", settings: [], says: "" },
])("SCTP that is $name", ({ settings, says }) => {
  const problem = sctpProblem(settings);
  expect(problem === "").toBe(says === "");
  expect(problem).toContain(says);
});

test("the real listeners hold both families, reset IPv4 and lead [::1] to the IPv4 port", async () => {
  const port = await freePort();
  const close = await listenOnPort({ protocol: "tcp", publishedPort: port });
  for (const host of ["0.0.0.0", "::"])
    await expect(listen(port, host)).rejects.toThrow("EADDRINUSE");
  // No rule leads to a task: the proxy meets the IPv4 listener, which resets, and so does it.
  for (const host of ["127.0.0.1", "::1"]) expect(await endOf(port, host)).toBe("ECONNRESET");
  close();
  (await listen(port, "::")).close();
});

function listen(port: number, host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, host, ipv6Only: true, exclusive: true }, () => resolve(server));
  });
}

async function freePort(): Promise<number> {
  const server = await listen(0, "0.0.0.0");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function endOf(port: number, host: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    socket.on("close", () => resolve("closed"));
  });
}
