import type { NodeNames } from "../names.js";

/** Packet filters on this host that are not ours: an accept of ours cannot undo a drop of theirs. */
export type ForeignFirewall = {
  /** Docker's chain for the administrator, and whether our rules are in it. */
  readonly dockerUser: "absent" | "without" | "with";
  readonly isFirewalldRunning: boolean;
};

/**
 * Script that lets our forwarded packets pass Docker's FORWARD policy, "" when nothing is to do. The rules carry our comment; the chain
 * is the administrator's and nothing else in it is touched.
 */
export function dockerUserScript(
  names: NodeNames,
  links: readonly string[],
  firewall: ForeignFirewall,
): string {
  if (firewall.dockerUser !== "without") return "";
  return links
    .flatMap((link) => [`iifname "${link}"`, `oifname "${link}"`])
    .map(
      (match) =>
        `insert rule ip filter DOCKER-USER ${match} accept comment "swarm:${names.nodeId}"\n`,
    )
    .join("");
}

/** What an operator must do himself, one sentence each. */
export function firewallNotices(
  names: NodeNames,
  links: readonly string[],
  { isFirewalldRunning }: ForeignFirewall,
): readonly string[] {
  if (!isFirewalldRunning) return [];
  return [
    `firewalld on node ${names.nodeId} drops forwarded packets: run firewall-cmd --permanent --zone=trusted ${links.map((link) => `--add-interface=${link}`).join(" ")} and firewall-cmd --reload`,
  ];
}
