/** sock_diag(7): who takes new connections in a namespace. Numbers are little-endian, as on all machines we run on, but for ports. */
import { addressBytes } from "./dns-address.js";

const NLMSG_HEADER_BYTES = 16;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST_DUMP = 0x301;
const SOCK_DIAG_BY_FAMILY = 20;
const AF_INET = 2;
const AF_INET6 = 10;
/** inet_diag_req_v2: family, protocol, two unused bytes, states, and the place of one socket, which stays empty. */
const REQUEST_BYTES = 56;
/** In inet_diag_msg: family, state and two more bytes, then the ports, then the address. */
const PORT_AT = 4;
const ADDRESS_AT = 8;
const IP_PROTOCOLS = { tcp: 6, udp: 17 } as const;
/** Sockets without a peer: TCP_LISTEN, and TCP_CLOSE of datagrams. */
const STATES = { tcp: 1 << 10, udp: 1 << 7 } as const;

/** A place where connections or datagrams are taken. */
export type OpenSocket = { readonly address: Uint8Array; readonly port: number };

export function encodeSocketsRequest(family: 4 | 6, protocol: "tcp" | "udp"): Buffer {
  const message = Buffer.alloc(NLMSG_HEADER_BYTES + REQUEST_BYTES);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  message.writeUInt16LE(NLM_F_REQUEST_DUMP, 6);
  message[NLMSG_HEADER_BYTES] = family === 4 ? AF_INET : AF_INET6;
  message[NLMSG_HEADER_BYTES + 1] = IP_PROTOCOLS[protocol];
  message.writeUInt32LE(STATES[protocol], NLMSG_HEADER_BYTES + 4);
  return message;
}

/** One part of the answer. An error ends it too: there is no such protocol. */
export function decodeSockets(part: Buffer): {
  readonly sockets: readonly OpenSocket[];
  readonly isLast: boolean;
} {
  const sockets: OpenSocket[] = [];
  for (let at = 0; at + NLMSG_HEADER_BYTES <= part.length; ) {
    const length = part.readUInt32LE(at);
    const type = part.readUInt16LE(at + 4);
    const isDamaged = length < NLMSG_HEADER_BYTES || at + length > part.length;
    if (isDamaged || type === NLMSG_DONE || type === NLMSG_ERROR) return { sockets, isLast: true };
    const body = part.subarray(at + NLMSG_HEADER_BYTES, at + length);
    const size = body[0] === AF_INET ? 4 : 16;
    const address = Uint8Array.from(body.subarray(ADDRESS_AT, ADDRESS_AT + size));
    sockets.push({ address, port: body.readUInt16BE(PORT_AT) });
    at += (length + 3) & ~3;
  }
  return { sockets, isLast: false };
}

/** Whether one of them takes what comes to this address and port: on the address itself, or on all of them. */
export function isTaken(sockets: readonly OpenSocket[], address: string, port: number): boolean {
  const own = addressBytes(address);
  return sockets.some(
    (socket) =>
      socket.port === port &&
      own?.length === socket.address.length &&
      (socket.address.every((byte) => byte === 0) ||
        socket.address.every((byte, i) => byte === own[i])),
  );
}
