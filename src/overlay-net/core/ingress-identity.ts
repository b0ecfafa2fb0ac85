/**
 * What a node is on the ingress network, as functions of its index (1–4094): address, MAC, connection mark and conntrack zone.
 * The addresses lie at the end of the subnet, below the mesh gateway, and are no task's.
 */
import { invariant } from "../../base/index.js";
import { addressFromEnd } from "./address-text.js";

export const NODE_INDEX_MAX = 4094;
/** Connection mark of a request in a task's namespace: this plus the index of the node it came through. */
export const MESH_MARK = 0x1000;
export const MESH_MARK_MASK = 0xf000;
/** Routing tables looked up by mark alone: the host's way into ingress, and a task's way back to a node. */
export const HOST_MESH_TABLE = 47_890;
export const TASK_MESH_TABLE = 47_891;
/** Frames to it go back to the node named by the packet's mark; nobody has it. */
export const MESH_GATEWAY_MAC = "02:42:ff:00:ff:ff";

export function nodeMark(index: number): number {
  return MESH_MARK + checked(index);
}

export function nodeZone(index: number): number {
  return checked(index);
}

/** No endpoint has it: 255.0.0.0/8 is nobody's address. */
export function nodeIngressMac(index: number): string {
  const hex = checked(index).toString(16).padStart(4, "0");
  return `02:42:ff:00:${hex.slice(0, 2)}:${hex.slice(2)}`;
}

export function nodeIngressAddress(subnet: string, index: number): string {
  return addressFromEnd(subnet, 1 + checked(index));
}

/** A next hop that stands for "the node this came through"; its neighbour entry is permanent. */
export function meshGateway(subnet: string): string {
  return addressFromEnd(subnet, 1);
}

function checked(index: number): number {
  invariant(
    Number.isInteger(index) && index >= 1 && index <= NODE_INDEX_MAX,
    `node index ${index} is not in 1–${NODE_INDEX_MAX}`,
  );
  return index;
}
