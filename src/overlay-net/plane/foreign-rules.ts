/** Packet filters on this host that are not ours: looked at by nft itself, as the kernel's lists do not hold single rules. */
import { ingressLink, type NodeNames } from "../core/names.js";
import {
  type DockerUser,
  dockerUserScript,
  type ForeignFirewall,
} from "../core/rulesets/foreign-firewall.js";
import type { NetnsKernel } from "../kernel/netns-kernel.js";
import { runTool } from "../kernel/tools/run-tool.js";

const FAMILIES = ["ip", "ip6"] as const;
type Family = (typeof FAMILIES)[number];
const NONE: ForeignFirewall = {
  dockerUser: "absent",
  dockerUser6: "absent",
  isFirewalldRunning: false,
};

/** Lets our packets pass where Docker drops what is forwarded, and takes that back. */
export class ForeignRules {
  readonly #kernel: NetnsKernel;
  readonly #names: NodeNames;
  /** Of the rules that were looked at last. */
  #generation = -1;
  #last = NONE;

  constructor(kernel: NetnsKernel, names: NodeNames) {
    this.#kernel = kernel;
    this.#names = names;
  }

  /** What is there; looked at again only when somebody changed rules since. Adds our rules to Docker's chain for them. */
  async look(): Promise<ForeignFirewall> {
    const generation = await this.#kernel.nftGeneration("");
    if (generation === this.#generation) return this.#last;
    const tables = (await runTool(["nft", "list", "tables"])).out;
    this.#last = {
      dockerUser: await this.#stateOf("ip", tables),
      dockerUser6: await this.#stateOf("ip6", tables),
      isFirewalldRunning: tables.includes("table inet firewalld\n"),
    };
    await this.#run(dockerUserScript(this.#names, this.#links, this.#last));
    this.#generation = await this.#kernel.nftGeneration("");
    return this.#last;
  }

  async remove(): Promise<void> {
    for (const family of FAMILIES) {
      const handles = ruleHandles((await this.#dockerUser(family)) ?? "", this.#comment);
      await this.#run(
        handles.map((one) => `delete rule ${family} filter DOCKER-USER handle ${one}\n`).join(""),
      );
    }
  }

  async #stateOf(family: Family, tables: string): Promise<DockerUser> {
    const hasTable = tables.includes(`table ${family} filter\n`);
    const chain = hasTable ? await this.#dockerUser(family) : undefined;
    if (chain === undefined) return "absent";
    return chain.includes(`"${this.#comment}"`) ? "with" : "without";
  }

  get #comment(): string {
    return `swarm:${this.#names.nodeId}`;
  }

  get #links(): readonly string[] {
    return [this.#names.bridge, ingressLink(this.#names)];
  }

  async #dockerUser(family: Family): Promise<string | undefined> {
    const chain = ["chain", family, "filter", "DOCKER-USER"];
    const { isOk, out } = await runTool(["nft", "-a", "list", ...chain]);
    return isOk ? out : undefined;
  }

  async #run(script: string): Promise<void> {
    if (script === "") return;
    await this.#kernel.execute([{ netns: "", operations: [{ kind: "nft", script }] }]);
  }
}

/** Handles of the rules with this comment, in a listing of `nft -a`. */
export function ruleHandles(listing: string, comment: string): readonly string[] {
  return listing
    .split("\n")
    .filter((line) => line.includes(`comment "${comment}"`))
    .flatMap((line) => /# handle (\d+)$/.exec(line.trim())?.[1] ?? []);
}
