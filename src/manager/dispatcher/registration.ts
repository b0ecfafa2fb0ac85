import { type Change, type Node, sameSpec, type swarm } from "../../api/index.js";
import { ApiError } from "../../base/index.js";
import { readDescription, withKnownTunnel } from "./messages.js";

/** What the registration changes of the stored node; undefined when nothing: a reconnect writes nothing. */
export function registrationChange(
  node: Node,
  remoteIp: string,
  hello: swarm.dispatcher.IHello,
): Change | undefined {
  const read = readDescription(hello.descriptionJson ?? new Uint8Array());
  const description = withKnownTunnel(read, node.description);
  const bootId = hello.bootId ?? "";
  if (bootId === "" || bootId.length > 64)
    throw new ApiError("InvalidArgument", "session: field boot_id is missing or too long");
  const addr = nodeAddr(remoteIp, hello.advertiseAddr ?? "");
  const isSame =
    node.state === "ready" &&
    node.stateMessage === "" &&
    node.addr === addr &&
    node.bootId === bootId &&
    sameSpec(node.description, description);
  if (isSame) return undefined;
  return {
    kind: "nodeStatus",
    nodeId: node.id,
    state: "ready",
    stateMessage: "",
    addr,
    description,
    bootId,
  };
}

/** As seen from here; a node on this manager's own host is seen on loopback and known by what it advertises. */
function nodeAddr(remoteIp: string, advertiseAddr: string): string {
  const isLoopback = remoteIp.startsWith("127.") || remoteIp === "::1";
  const advertised = advertiseAddr.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return isLoopback && advertised !== "" ? advertised : remoteIp;
}
