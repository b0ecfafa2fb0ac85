import { connect, type Socket } from "node:net";

/** Connections from [::1] that are passed on at once, over all ports of the node. */
const CONNECTIONS_MAX = 256;
/** Time the other end has to answer. */
const CONNECT_TIMEOUT_MS = 10_000;
const LOOPBACK_6 = "::1";

let open = 0;

/**
 * A client on [::1] reaches the published port of IPv4 loopback through this process: IPv6 has no routing of loopback addresses, so no
 * rule can lead it away. Anybody else got here because there is no rule (yet), and is reset.
 */
export function passOn(client: Socket, port: number): void {
  if (client.remoteAddress !== LOOPBACK_6 || open >= CONNECTIONS_MAX) {
    client.resetAndDestroy();
    return;
  }
  open++;
  const server = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  server.setTimeout(CONNECT_TIMEOUT_MS, () => server.destroy(new Error("no answer")));
  server.once("connect", () => server.setTimeout(0));
  client.on("error", () => server.destroy());
  server.on("error", () => client.resetAndDestroy());
  client.on("close", () => {
    open--;
    server.destroy();
  });
  server.on("close", () => client.destroySoon());
  client.pipe(server);
  server.pipe(client);
}
