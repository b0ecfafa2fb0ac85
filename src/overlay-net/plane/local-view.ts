import type { LocalAttachment } from "../core/local-facts.js";
import type { Proxy6 } from "../core/mesh-proxies.js";
import type { DnsPorts } from "../dns/index.js";
import type { Attachment } from "../node-network.js";

/** A container, and what was made of it. */
type Known = {
  readonly attachment: Attachment;
  readonly dns: DnsPorts | undefined;
  readonly proxies: readonly Proxy6[];
  readonly local: LocalAttachment;
};

/**
 * The containers as the desired state sees them. One that did not change stays the same object: then its desired state
 * need not be made again.
 */
export class LocalView {
  readonly #dns = new Map<string, DnsPorts>();
  #known: ReadonlyMap<string, Known> = new Map();

  setDns(containerId: string, ports: DnsPorts | undefined): void {
    if (ports === undefined) this.#dns.delete(containerId);
    else this.#dns.set(containerId, ports);
  }

  /** `proxies`: by container id. */
  of(
    attachments: readonly Attachment[],
    proxies: ReadonlyMap<string, readonly Proxy6[]>,
  ): readonly LocalAttachment[] {
    const known = new Map<string, Known>();
    for (const attachment of attachments) {
      const { containerId } = attachment;
      const dns = this.#dns.get(containerId);
      const relays = proxies.get(containerId) ?? NO_PROXIES;
      const before = this.#known.get(containerId);
      const isSame =
        before?.attachment === attachment && before.dns === dns && before.proxies === relays;
      if (isSame) known.set(containerId, before);
      else {
        const local = localOf(attachment, dns, relays);
        known.set(containerId, { attachment, dns, proxies: relays, local });
      }
    }
    this.#known = known;
    return [...known.values()].map(({ local }) => local);
  }
}

const NO_PROXIES: readonly Proxy6[] = [];

function localOf(
  attachment: Attachment,
  dns: DnsPorts | undefined,
  proxies: readonly Proxy6[],
): LocalAttachment {
  const { containerId, netns, address, overlay, hostPorts } = attachment;
  return {
    containerId,
    netns,
    dns,
    proxies,
    taskId: overlay?.taskId ?? "",
    gwbridgeAddress: address,
    networkIds: overlay?.networkIds ?? [],
    ...(overlay?.joined !== undefined && { joined: overlay.joined }),
    hostPorts,
  };
}
