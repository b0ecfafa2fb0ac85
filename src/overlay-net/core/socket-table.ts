/** /proc/net/{tcp,udp}{,6}: who takes new connections where (proc(5)). */
import { addressBytes } from "./dns-address.js";

/** What takes connections in a state that is no connection: TCP_LISTEN, and a datagram socket without a peer (TCP_CLOSE). */
const OPEN_STATES = new Set(["0A", "07"]);
const WORD_BYTES = 4;

/** Whether somebody takes what comes to this address and port: on the address itself, or on all of them. */
export function isTaken(table: string, address: string, port: number): boolean {
  const bytes = addressBytes(address);
  if (bytes === undefined) return false;
  const own = `${wordsOf(bytes)}:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const any = `${"0".repeat(bytes.length * 2)}${own.slice(own.indexOf(":"))}`;
  return table.split("\n").some((line) => {
    const [, local, , state = ""] = line.trim().split(/\s+/);
    return OPEN_STATES.has(state) && (local === own || local === any);
  });
}

/** Words of four bytes, each as a number of this machine: they are little-endian on all we run on. */
function wordsOf(bytes: Uint8Array): string {
  const words: string[] = [];
  for (let at = 0; at < bytes.length; at += WORD_BYTES) {
    const word = [...bytes.subarray(at, at + WORD_BYTES)].reverse();
    words.push(word.map((byte) => byte.toString(16).padStart(2, "0")).join(""));
  }
  return words.join("").toUpperCase();
}
