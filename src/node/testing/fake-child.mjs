/**
 * A child that speaks the supervisor's messages and does nothing else. What it does wrong is chosen by words in the host
 * name of its settings: `noack` takes no sockets, `deaf` answers no ping, `exit-N` ends with code N once it is ready,
 * `silent` never reports ready (`manager-silent`: as a manager), `sessions` has a session whenever it has an identity, `fail-OP` refuses requests for OP.
 * Over HTTP it tells its pid and what it knows; `/swarm/OP?body=` asks the supervisor, `/send?message=` reports to it.
 */
import { createServer } from "node:http";

let activeCount = 0;
let isRetiring = false;

function endIfIdle() {
  if (isRetiring && activeCount === 0) setTimeout(() => process.exit(0), 20);
}

const server = createServer((request, response) => {
  activeCount += 1;
  response.once("close", () => {
    activeCount -= 1;
    endIfIdle();
  });
  if (request.url === "/hold") {
    response.write("held\n");
    return;
  }
  response.setHeader("Connection", "close");
  const url = new URL(request.url ?? "/", "http://x");
  if (url.pathname.startsWith("/swarm/")) {
    ask(
      url.pathname.slice("/swarm/".length),
      JSON.parse(url.searchParams.get("body") ?? "{}"),
    ).then(
      (result) => response.end(JSON.stringify({ result })),
      (error) => {
        response.statusCode = error.http;
        response.end(JSON.stringify(error));
      },
    );
    return;
  }
  if (url.pathname === "/send") process.send(JSON.parse(url.searchParams.get("message") ?? "{}"));
  response.end(JSON.stringify({ pid: process.pid, localState, identity, start }));
});

let words = [];
let start;
let localState;
let identity;
let seq = 0;
const pending = new Map();

function ask(op, body) {
  seq += 1;
  process.send({ kind: "request", seq, op, body });
  return new Promise((resolve, reject) => pending.set(seq, { resolve, reject }));
}

function act(op) {
  if (words.includes(`fail-${op}`)) return Promise.reject(new Error(`${op} failed`));
  return Promise.resolve({});
}

process.on("message", (message, handle) => {
  switch (message.kind) {
    case "start":
      start = message.manager?.start.kind ?? "";
      localState = message.localState;
      identity = message.identity?.nodeId;
      words = message.config.hostname.split(" ");
      begin(message);
      return;
    case "ping":
      if (!words.includes("deaf")) process.send({ kind: "pong", seq: message.seq });
      return;
    case "localState":
      localState = message.localState;
      return;
    case "identity":
      identity = message.identity?.nodeId;
      if (words.includes("sessions"))
        process.send({ kind: "session", isUp: identity !== undefined });
      return;
    case "socket":
      if (words.includes("noack")) return;
      process.send({ kind: "socketAck", seq: message.seq });
      if (handle === undefined) return;
      server.emit("connection", handle);
      handle.resume();
      return;
    case "reply":
      pending.get(message.seq)?.resolve(message.result);
      return;
    case "replyError":
      pending.get(message.seq)?.reject(message);
      return;
    case "request":
      act(message.op).then(
        (result) => process.send({ kind: "reply", seq: message.seq, result }),
        (error) =>
          process.send({
            kind: "replyError",
            seq: message.seq,
            code: "Unavailable",
            message: error.message,
            http: 503,
          }),
      );
      return;
    case "retire":
      isRetiring = true;
      endIfIdle();
      return;
    case "stop":
      setTimeout(() => process.exit(0), 20);
      return;
  }
});
process.on("disconnect", () => process.exit(0));

function begin(message) {
  const isManager = message.manager !== undefined;
  const exit = words.find((word) => word.startsWith(isManager ? "manager-exit-" : "exit-"));
  if (exit !== undefined && !words.includes("after-ready")) {
    const code = Number(exit.split("-").at(-1));
    process.send(
      { kind: "failed", reason: reasons[code] ?? "crash", message: `told to exit ${code}` },
      () => process.exit(code),
    );
    return;
  }
  const isSilent = words.includes("silent") || (isManager && words.includes("manager-silent"));
  if (!isSilent) process.send({ kind: "ready" });
  if (words.includes("sessions") && identity !== undefined)
    process.send({ kind: "session", isUp: true });
}

const reasons = {
  70: "removed",
  72: "diskFull",
  73: "walDamaged",
  74: "locked",
  76: "addressInUse",
};
