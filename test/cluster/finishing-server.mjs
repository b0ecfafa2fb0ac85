/**
 * `node finishing-server.mjs PORT`: says its host's name to every request. After SIGTERM it answers what still comes on
 * its connections with `Connection: close`, and ends when none is left, at the latest after LAST_MS.
 */
import { createServer } from "node:http";
import { hostname } from "node:os";

const LAST_MS = 5_000;
let isEnding = false;
const server = createServer((_request, response) => {
  if (isEnding) response.setHeader("Connection", "close");
  response.end(`host ${hostname()}\n`);
});
server.keepAliveTimeout = 0;
server.listen(Number(process.argv[2]));
const sockets = new Set();
server.on("connection", (socket) => {
  sockets.add(socket);
  socket.on("close", () => {
    sockets.delete(socket);
    if (isEnding && sockets.size === 0) process.exit(0);
  });
});
process.on("SIGTERM", () => {
  isEnding = true;
  if (sockets.size === 0) process.exit(0);
  setTimeout(() => process.exit(0), LAST_MS);
});
