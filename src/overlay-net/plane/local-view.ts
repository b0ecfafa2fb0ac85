import type { LocalAttachment } from "../core/local-facts.js";
import type { DnsPorts } from "../dns/index.js";
import type { Attachment } from "../node-network.js";

/** A container on overlay networks, and what was made of it. */
type Known = {
  readonly attachment: Attachment;
  readonly dns: DnsPorts | undefined;
  readonly local: LocalAttachment;
};

/**
 * The containers on overlay networks as the desired state sees them. One that did not change stays the same object: then its desired state
 * need not be made again.
 */
export class LocalView {
  readonly #dns = new Map<string, DnsPorts>();
  #known: ReadonlyMap<string, Known> = new Map();

  setDns(containerId: string, ports: DnsPorts | undefined): void {
    if (ports === undefined) this.#dns.delete(containerId);
    else this.#dns.set(containerId, ports);
  }

  of(attachments: readonly Attachment[]): readonly LocalAttachment[] {
    const known = new Map<string, Known>();
    for (const attachment of attachments) {
      const { containerId } = attachment;
      const dns = this.#dns.get(containerId);
      const before = this.#known.get(containerId);
      const isSame = before?.attachment === attachment && before.dns === dns;
      if (isSame) known.set(containerId, before);
      else if (attachment.overlay !== undefined)
        known.set(containerId, { attachment, dns, local: localOf(attachment, dns) });
    }
    this.#known = known;
    return [...known.values()].map(({ local }) => local);
  }
}

function localOf(attachment: Attachment, dns: DnsPorts | undefined): LocalAttachment {
  const { containerId, netns, address, overlay } = attachment;
  return {
    containerId,
    netns,
    dns,
    taskId: overlay?.taskId ?? "",
    gwbridgeAddress: address,
    networkIds: overlay?.networkIds ?? [],
    // Translated by the bridge's own table.
    hostPorts: [],
  };
}
