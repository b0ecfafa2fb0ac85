/**
 * Established flows, from whatever network namespace this process is in.
 * `node flow.mjs serve PORT` echoes over TCP and UDP, and says "listening" when it does.
 * `node flow.mjs call ADDRESS PORT` keeps one TCP connection and one UDP flow, a numbered message each 10 ms, until SIGTERM;
 * then prints {sent, tcpLost, udpLost, longestGapMs, error}. A broken TCP connection is not opened again.
 */
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";

const PERIOD_MS = 10;
const LAST_ANSWERS_MS = 1_000;
const AGAIN_MS = 100;
const MESSAGE_BYTES = 4;
const [verb, ...args] = process.argv.slice(2);

function serve(port) {
  const tcp = createServer((socket) => {
    socket.setNoDelay(true).on("error", () => {});
    socket.pipe(socket);
  });
  const udp = createSocket("udp4");
  udp.on("message", (message, from) => udp.send(message, from.port, from.address));
  udp.bind(port, () => {
    tcp.listen({ port, host: "0.0.0.0" }, () => process.stdout.write("listening\n"));
  });
}

function call(address, port) {
  let sent = 0;
  let tcpBytes = 0;
  let udpAnswers = 0;
  let error = "";
  let answeredAt = performance.now();
  let longestGapMs = 0;
  let tcp;
  const open = (onConnect) => {
    const attempt = connect({ host: address, port, noDelay: true });
    let isOpen = false;
    attempt.on("error", (cause) => {
      // The service may have no backend yet; later nothing is forgiven.
      if (isOpen) error = cause.message;
      else setTimeout(open, AGAIN_MS, onConnect);
    });
    attempt.on("connect", () => {
      isOpen = true;
      tcp = attempt;
      onConnect();
    });
    attempt.on("data", (chunk) => {
      tcpBytes += chunk.length;
      const now = performance.now();
      longestGapMs = Math.max(longestGapMs, now - answeredAt);
      answeredAt = now;
    });
  };
  const udp = createSocket("udp4");
  udp.on("message", () => {
    udpAnswers++;
  });
  udp.on("error", (cause) => {
    error = cause.message;
  });
  udp.connect(port, address);
  const started = Promise.all([
    new Promise((resolve) => udp.once("connect", resolve)),
    new Promise((resolve) => open(resolve)),
  ]);
  void started.then(() => {
    process.stdout.write("connected\n");
    answeredAt = performance.now();
    const message = Buffer.alloc(MESSAGE_BYTES);
    const timer = setInterval(() => {
      message.writeUInt32BE(++sent);
      tcp.write(Buffer.from(message));
      udp.send(Buffer.from(message));
    }, PERIOD_MS);
    process.on("SIGTERM", () => {
      clearInterval(timer);
      setTimeout(() => {
        const tcpLost = sent - tcpBytes / MESSAGE_BYTES;
        const report = { sent, tcpLost, udpLost: sent - udpAnswers, error };
        process.stdout.write(
          `${JSON.stringify({ ...report, longestGapMs: Math.round(longestGapMs) })}\n`,
        );
        process.exit(0);
      }, LAST_ANSWERS_MS);
    });
  });
}

if (verb === "serve") serve(Number(args[0]));
else call(args[0], Number(args[1]));
