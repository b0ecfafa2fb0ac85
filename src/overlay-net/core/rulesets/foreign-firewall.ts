import type { NodeNames } from "../names.js";

/** Packet filters on this host that are not ours: an accept of ours cannot undo a drop of theirs. */
export type ForeignFirewall = {
  /** Docker's chain for the administrator, and whether our rules are in it. */
  readonly dockerUser: DockerUser;
  /** The same of its IPv6 filter, which a daemon has that publishes ports over IPv6. */
  readonly dockerUser6: DockerUser;
  readonly isFirewalldRunning: boolean;
};

export type DockerUser = "absent" | "without" | "with";

/**
 * Script that lets our forwarded packets pass Docker's FORWARD policy, "" when nothing is to do. The rules carry our comment; the chain
 * is the administrator's and nothing else in it is touched.
 */
export function dockerUserScript(
  names: NodeNames,
  links: readonly string[],
  firewall: ForeignFirewall,
): string {
  const families = [
    ...(firewall.dockerUser === "without" ? ["ip"] : []),
    ...(firewall.dockerUser6 === "without" ? ["ip6"] : []),
  ];
  const matches = links.flatMap((link) => [`iifname "${link}"`, `oifname "${link}"`]);
  const comment = `"swarm:${names.nodeId}"`;
  return families
    .flatMap((family) => matches.map((match) => `${family} filter DOCKER-USER ${match}`))
    .map((rule) => `insert rule ${rule} accept comment ${comment}\n`)
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
