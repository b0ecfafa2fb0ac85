import { createCaHandler, makeJoinToken, makeUnlockKey } from "./ca/index.js";
import { CAPABILITIES, createControl } from "./control/index.js";
import type { ManagerRooms } from "./manager-options.js";
import { leaderLoops } from "./orchestrator/index.js";

/** The manager as it runs: control and certificates in front of the store, orchestration behind it. */
export const ROOMS: ManagerRooms = {
  leaderLoops,
  createExecutor: ({ store, proposer, membership, raftHandlers, clock, random }) => {
    const issue = createCaHandler({ store, proposer, clock, random });
    return createControl({
      store,
      proposer,
      membership,
      clock,
      capabilities: CAPABILITIES,
      newToken: (_role, cluster) => makeJoinToken(cluster.rootCertPem, random),
      newUnlockKey: () => makeUnlockKey(random),
      handlers: { ...raftHandlers, "ca.issue": issue },
    });
  },
};
