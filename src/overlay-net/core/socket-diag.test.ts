import { expect, test } from "vitest";
import { addressBytes } from "./dns-address.js";
import { decodeSockets, encodeSocketsRequest, isTaken } from "./socket-diag.js";

const socket = (address: string, port: number) => ({
  ...{ address: Uint8Array.from(addressBytes(address) ?? []), port },
});

test.each([
  { name: "on all addresses", at: socket("::", 80), taken: true },
  { name: "on its address", at: socket("fd25::b", 80), taken: true },
  { name: "on loopback alone", at: socket("::1", 80), taken: false },
  { name: "on another port", at: socket("::", 81), taken: false },
  { name: "on all addresses of the other family", at: socket("0.0.0.0", 80), taken: false },
])("a socket $name takes what comes to [fd25::b]:80: $taken", ({ at, taken }) => {
  expect(isTaken([at], "fd25::b", 80)).toBe(taken);
});

test("the question names family, protocol and the states without a peer", () => {
  const tcp6 = encodeSocketsRequest(6, "tcp");
  expect([tcp6.length, tcp6.readUInt32LE(0), tcp6[16], tcp6[17]]).toEqual([72, 72, 10, 6]);
  expect(tcp6.readUInt32LE(20)).toBe(0x400);
  const udp4 = encodeSocketsRequest(4, "udp");
  expect([udp4[16], udp4[17], udp4.readUInt32LE(20)]).toEqual([2, 17, 0x80]);
});

/** One netlink message around a body. */
function message(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + body.length, 0);
  header.writeUInt16LE(type, 4);
  return Buffer.concat([header, body]);
}

function entry(family: number, address: string, port: number): Buffer {
  const body = Buffer.alloc(72);
  body[0] = family;
  body.writeUInt16BE(port, 4);
  body.set(addressBytes(address) ?? [], 8);
  return message(20, body);
}

test("an answer of several parts is read until its end", () => {
  const first = decodeSockets(Buffer.concat([entry(10, "fd25::b", 80), entry(2, "10.0.0.1", 81)]));
  expect(first).toEqual({
    sockets: [socket("fd25::b", 80), socket("10.0.0.1", 81)],
    isLast: false,
  });
  expect(decodeSockets(message(3, Buffer.alloc(4)))).toEqual({ sockets: [], isLast: true });
});

test.each([
  { name: "an error", part: message(2, Buffer.alloc(20)) },
  { name: "a length that leads nowhere", part: Buffer.alloc(32) },
])("$name ends the answer", ({ part }) => {
  expect(decodeSockets(part)).toEqual({ sockets: [], isLast: true });
});
