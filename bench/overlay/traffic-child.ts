/**
 * One end of a measured path, in the namespace it was started in: `sink PORT` and `door PORT` serve until they are killed, `source MS ADDRESS PORT`
 * and `caller MS PORT ADDRESS…` print one number and end.
 */
import { writeSync } from "node:fs";
import {
  acceptFrom,
  closeByReset,
  closeSocket,
  connectTo,
  endSending,
  listenOn,
  receiveFrom,
  sendTo,
  targetOf,
} from "./blocking-sockets.js";

const STDOUT = 1;
/** One write of iperf3. */
const SENT_BYTES = 128 * 1024;
const RECEIVED_BYTES = 1024 * 1024;

function say(text: string): void {
  writeSync(STDOUT, `${text}\n`);
}

/** Swallows what comes, one connection after the other. */
function sink(port: number): void {
  const listener = listenOn(port);
  const into = Buffer.alloc(RECEIVED_BYTES);
  say("ready");
  for (;;) {
    const fd = acceptFrom(listener);
    while (receiveFrom(fd, into) > 0);
    closeSocket(fd);
  }
}

/** Gbit/s, until the other side has taken the last byte. */
function source(ms: number, address: string, port: number): void {
  const bytes = Buffer.alloc(SENT_BYTES, "x");
  const fd = connectTo(targetOf(address, port));
  const start = performance.now();
  let sent = 0;
  while (performance.now() - start < ms) sent += sendTo(fd, bytes);
  endSending(fd);
  receiveFrom(fd, bytes);
  say(String((sent * 8) / 1e6 / (performance.now() - start)));
}

/** Takes connections and closes them at once. */
function door(port: number): void {
  const listener = listenOn(port);
  say("ready");
  for (;;) closeSocket(acceptFrom(listener));
}

/**
 * Connections per second, one after the other, to each address in turn. Ended by a reset: with a server that still remembers a client's port from
 * another path, whose timestamps are others, every second attempt would be made again after 1 s.
 */
function caller(ms: number, port: number, addresses: readonly string[]): void {
  const targets = addresses.map((address) => targetOf(address, port));
  const into = Buffer.alloc(1);
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < ms) {
    const target = targets[count % targets.length];
    if (target === undefined) throw new Error("no address");
    const fd = connectTo(target);
    receiveFrom(fd, into);
    closeByReset(fd);
    count += 1;
  }
  say(String((count * 1_000) / (performance.now() - start)));
}

const [role, first = "", second = "", ...rest] = process.argv.slice(2);
switch (role) {
  case "sink":
    sink(Number(first));
    break;
  case "door":
    door(Number(first));
    break;
  case "source":
    source(Number(first), second, Number(rest[0]));
    break;
  case "caller":
    caller(Number(first), Number(second), rest);
    break;
  default:
    throw new Error(`no role ${role}`);
}
