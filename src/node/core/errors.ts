/** Answers to init, join, leave and unlock. Texts and statuses: spec §1.3; clients match fragments of them. */
import { type ApiError, doorError } from "../../base/index.js";

export function alreadyMember(): ApiError {
  return doorError(
    "Unavailable",
    'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.',
  );
}

export function notMember(): ApiError {
  return doorError("Unavailable", "This node is not part of a swarm");
}

export function busy(): ApiError {
  return doorError(
    "Unavailable",
    "another init, join or leave is under way on this node; look at `docker info` and try again",
  );
}

export function notLocked(): ApiError {
  return doorError("AlreadyExists", "swarm is not locked");
}

export function notSupported(call: string, field: string): ApiError {
  return doorError("Unimplemented", `${call}: field ${field} is not supported yet`);
}

/** Also on a member: being told to leave first, somebody would erase what he wants to save. */
export function noForcedCluster(): ApiError {
  return doorError(
    "Unimplemented",
    "swarm init: field ForceNewCluster is not supported yet. A swarm that lost the majority of its managers works again as soon as more " +
      "than half of them run: start them again, each with its own state directory. " +
      "Do not leave the swarm here: this node's copy of the cluster's state would be erased. Running tasks go on meanwhile",
  );
}

export function joinContinues(limitSec: number, detail: string): ApiError {
  const why = detail === "" ? "" : ` So far: ${detail}.`;
  return doorError(
    "Unavailable",
    `Timeout was reached before node joined (${limitSec} s). The attempt to join the swarm will continue in the background.${why} ` +
      'Use the "docker info" command to see the current swarm status of your node.',
  );
}

/** Refusal to leave as a manager without force: what the cluster would lose. */
export function leaveNeedsForce(managerCount: number): ApiError {
  const lead =
    "You are attempting to leave the swarm on a node that is participating as a manager. ";
  if (managerCount <= 1) {
    return doorError(
      "Unavailable",
      `${lead}Removing the last manager erases all current state of the swarm. Use \`--force\` to ignore this message.`,
    );
  }
  const remaining = managerCount - 1;
  const quorum = Math.floor(managerCount / 2) + 1;
  const risk =
    remaining < quorum
      ? `Removing this node leaves ${remaining} managers out of ${managerCount}. Without a Raft quorum your swarm will be inaccessible. `
      : `Demote it first (docker node demote), or it leaves ${remaining} of ${managerCount} managers. `;
  return doorError(
    "Unavailable",
    `${lead}${risk}A swarm that has lost consensus can be changed again only when more than half of its managers run. ` +
      "Use `--force` to suppress this message.",
  );
}
