import { ClusterLookup, type DesiredInput } from "./cluster-lookup.js";
import { desiredContainer, type VipTables } from "./desired-container.js";
import { desiredHost } from "./desired-host.js";
import { desiredSandbox } from "./desired-sandbox.js";
import type { NetnsState } from "./kernel-model.js";

/**
 * What every namespace of this node should hold: the sandbox of each network it was told of, the one swarmd was started in, and each
 * container's. A function of its input: the same facts give the same texts, and so the same digests.
 */
export function desiredState(input: DesiredInput): readonly NetnsState[] {
  const lookup = new ClusterLookup(input.state);
  const vipTables: VipTables = new Map();
  const { state, local } = input;
  return [
    ...state.networks
      .filter(({ vni }) => vni > 0)
      .map((network) => desiredSandbox(input, lookup, network)),
    desiredHost(input, lookup),
    ...local.attachments.map((attachment) =>
      desiredContainer(input, lookup, attachment, vipTables),
    ),
  ];
}
