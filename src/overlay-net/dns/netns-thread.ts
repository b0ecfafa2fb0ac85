/** The thread that enters namespaces, so that no other code of the process can ever run inside one. */
import { parentPort } from "node:worker_threads";
import { inNetns, openSocket } from "./netns-ffi.js";
import type { SocketRequest } from "./netns-sockets.js";

export type ThreadRequest = {
  readonly serial: number;
  readonly netnsPath: string;
  readonly request: SocketRequest;
};

export type ThreadReply =
  | { readonly serial: number; readonly fd: number }
  | { readonly serial: number; readonly error: string };

parentPort?.on("message", ({ serial, netnsPath, request }: ThreadRequest) => {
  parentPort?.postMessage(reply(serial, netnsPath, request));
});

function reply(serial: number, netnsPath: string, request: SocketRequest): ThreadReply {
  try {
    return { serial, fd: inNetns(netnsPath, () => openSocket(request)) };
  } catch (error) {
    return { serial, error: error instanceof Error ? error.message : String(error) };
  }
}
