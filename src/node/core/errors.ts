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

export function invalidUnlockKey(): ApiError {
  return doorError(
    "Unauthenticated",
    "swarm could not be unlocked: invalid key provided. A manager that was off while the key was rotated needs the key of then",
  );
}

export function stillLocked(): ApiError {
  return doorError(
    "Unavailable",
    'Swarm is encrypted and needs to be unlocked before it can be used. Please use "docker swarm unlock" to unlock it.',
  );
}

export function notSupported(call: string, field: string): ApiError {
  return doorError("Unimplemented", `${call}: field ${field} is not supported yet`);
}

/** `why`: core/membership.ts. */
export function notForceable(why: string): ApiError {
  return doorError(
    "Unavailable",
    `This node is not a swarm manager: ${why}. \`swarm init --force-new-cluster\` goes on from a manager's copy of the cluster's state; ` +
      "run it on the manager that was up to date last",
  );
}

export function forceContinues(limitSec: number, detail: string): ApiError {
  const why = detail === "" ? "" : ` So far: ${detail}.`;
  return doorError(
    "Unavailable",
    `This node's manager was not ready within ${limitSec} s; it goes on becoming the only one in the background.${why} ` +
      'Use the "docker info" command to see the current swarm status of your node.',
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
