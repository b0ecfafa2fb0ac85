import { ClusterLookup, type DesiredInput } from "./cluster-lookup.js";
import { desiredContainer, type RememberedContainer, type VipTables } from "./desired-container.js";
import { desiredHost } from "./desired-host.js";
import { desiredSandbox, type RemoteMemo } from "./desired-sandbox.js";
import type { NetnsState } from "./kernel-model.js";

/**
 * What was desired last, by namespace. A container whose own facts are the same objects as then keeps its lists: planning from one desired
 * state to the next compares a hundred containers by reference, and looks at their tables alone.
 */
export class DesiredMemo {
  containers: ReadonlyMap<string, RememberedContainer> = new Map();
  readonly remote: RemoteMemo = new Map();
  /** Of the state they were made of. */
  vip: { readonly lookup: ClusterLookup; readonly tables: VipTables } | undefined;
}

/**
 * What every namespace of this node should hold: the sandbox of each network it was told of, the one swarmd was started in, and each
 * container's. A function of its input: the same facts give the same texts, and so the same digests.
 */
export function desiredState(
  input: DesiredInput,
  memo: DesiredMemo = new DesiredMemo(),
): readonly NetnsState[] {
  const lookup = ClusterLookup.of(input.state);
  const vipTables: VipTables = memo.vip?.lookup === lookup ? memo.vip.tables : new Map();
  memo.vip = { lookup, tables: vipTables };
  const { state, local } = input;
  const containers = local.attachments.map((attachment) =>
    desiredContainer(input, lookup, attachment, vipTables, memo.containers.get(attachment.netns)),
  );
  const networkIds = new Set(state.networks.map(({ id }) => id));
  for (const id of [...memo.remote.keys()]) if (!networkIds.has(id)) memo.remote.delete(id);
  memo.containers = new Map(containers.map((one) => [one.state.netns, one]));
  return [
    ...state.networks
      .filter(({ vni }) => vni > 0)
      .map((network) => desiredSandbox(input, lookup, network, memo.remote)),
    desiredHost(input, lookup),
    ...containers.map((one) => one.state),
  ];
}
