import { openSocket } from "./netns-ffi.js";
import { type NetnsSockets, netnsSockets } from "./netns-sockets.js";

/** The same sockets in the namespace this process is in: for the simulated network, which has no others. Needs no rights. */
export const localSockets: NetnsSockets = netnsSockets(
  (_netnsPath, request) =>
    new Promise((resolve) => {
      resolve(openSocket(request));
    }),
);
