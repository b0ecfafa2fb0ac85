import type { LocalFacts } from "./local-facts.js";
import type { NodeNames } from "./names.js";
import { DNS_SUFFIX } from "./rulesets/dns-redirect.js";
import { TASK_INGRESS_SUFFIX } from "./rulesets/task-ingress.js";

/**
 * Containers' tables that lead to sockets of this process, by namespace: resolvers and relays. A process that was started again has them on
 * other ports, so that these tables differ from what there is without anybody having changed them.
 */
export function tablesOfOwnSockets(
  { nftTable }: NodeNames,
  { attachments }: Pick<LocalFacts, "attachments">,
): ReadonlyMap<string, readonly string[]> {
  return new Map(
    attachments.map(({ netns, dns, proxies }) => [
      netns,
      [
        ...(dns === undefined ? [] : [`${nftTable}${DNS_SUFFIX}`]),
        ...(proxies.length === 0 ? [] : [`${nftTable}${TASK_INGRESS_SUFFIX}`]),
      ],
    ]),
  );
}
