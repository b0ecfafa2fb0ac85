import type { Requester } from "../api/index.js";
import type { Proposer } from "../store/index.js";

/** The same proposer; what names no requester itself is written in the name of this one. */
export function attributed(proposer: Proposer, requester: Requester): Proposer {
  return {
    propose: (transaction, signal) => proposer.propose({ requester, ...transaction }, signal),
  };
}
