import type { KernelOperation, Link } from "../../core/kernel-model.js";
import { KernelError, netnsText } from "../netns-kernel.js";
import {
  type DecodedLink,
  decodeLink,
  encodeAddLink,
  encodeDumpLinks,
  encodeFinishLink,
  encodeGetLink,
  encodeSetLink,
} from "./codec/link.js";
import type { Handles } from "./handles.js";
import { ackText, ERRNO, errnoCode } from "./kernel-errno.js";
import type { Namespaces } from "./namespaces.js";
import type { NetlinkSocket } from "./netlink-socket.js";

/** Most namespaces searched to explain a VNI that is taken. */
const SEARCHED_MAX = 4096;

type AddLink = Extract<KernelOperation, { kind: "addLink" }>;

export function findLink(socket: NetlinkSocket, name: string): DecodedLink | undefined {
  const { ack, answer } = socket.query(encodeGetLink(name));
  if (ack.errno === ERRNO.ENODEV) return undefined;
  if (ack.errno !== 0 || answer === undefined)
    throw new KernelError(errnoCode(ack.errno), ackText(ack));
  return decodeLink(answer.payload);
}

/** Index of a link; throws KernelError NOT_FOUND. */
export function linkIndex(socket: NetlinkSocket, name: string): number {
  const found = findLink(socket, name);
  if (found === undefined) throw new KernelError("NOT_FOUND", `there is no link ${name}`);
  return found.index;
}

/** Making links, and bringing those that are there to what is asked. */
export class LinkMaker {
  readonly #namespaces: Namespaces;
  readonly #handles: Handles;

  constructor(namespaces: Namespaces, handles: Handles) {
    this.#namespaces = namespaces;
    this.#handles = handles;
  }

  /** Throws KernelError. */
  add(netns: string, { link, peer }: AddLink): void {
    const { route } = this.#handles.get(netns);
    const existing = findLink(route, link.name);
    if (existing === undefined) this.#make(netns, { kind: "addLink", link, ...(peer && { peer }) });
    else this.#checkSame(netns, existing, link, peer);
    this.#finish(netns, link, existing !== undefined);
    if (peer === undefined) return;
    this.#finish(peer.netns, peer.link, existing !== undefined || peer.link.master !== "");
  }

  set(netns: string, link: Link): void {
    const { route } = this.#handles.get(netns);
    if (findLink(route, link.name) === undefined)
      throw new KernelError("NOT_FOUND", `there is no link ${link.name}`);
    this.#finish(netns, link, true);
  }

  /** Port flags, alias and state; for a link that was there, or whose making could not say it, MAC, MTU and master before. */
  #finish(netns: string, link: Link, isSetFirst: boolean): void {
    const { route } = this.#handles.get(netns);
    const messages = [encodeFinishLink(link)];
    if (isSetFirst) {
      const masterIndex = link.master === "" ? 0 : linkIndex(route, link.master);
      messages.unshift(encodeSetLink(link, masterIndex));
    }
    const failed = route
      .request(messages, (_, ack) => ack.errno !== 0)
      .find(({ errno }) => errno !== 0);
    if (failed !== undefined) throw new KernelError(errnoCode(failed.errno), ackText(failed));
  }

  #make(netns: string, { link, peer }: AddLink): void {
    const { route } = this.#handles.get(netns);
    const masterIndex = link.master === "" ? 0 : linkIndex(route, link.master);
    // A tunnel's own socket is in the namespace of the socket that asks for the link: the underlay is the host's.
    const isTunnel = link.kind === "vxlan" || link.kind === "wireguard";
    const socket = isTunnel ? this.#handles.get("").route : route;
    const ask = (netnsFd?: number, peerFd?: number): Buffer =>
      encodeAddLink({
        link,
        masterIndex,
        ...(netnsFd !== undefined && { netnsFd }),
        ...(peer !== undefined &&
          peerFd !== undefined && { peer: { link: peer.link, netnsFd: peerFd } }),
      });
    const send = (message: Buffer): void => {
      const [ack] = socket.request([message], () => true);
      if (ack !== undefined && ack.errno !== 0)
        throw new KernelError(
          errnoCode(ack.errno),
          `${ackText(ack)}${this.#holder(ack.errno, link)}`,
        );
    };
    if (isTunnel) this.#namespaces.withFd(netns, (fd) => send(ask(fd)));
    else if (peer !== undefined)
      this.#namespaces.withFd(peer.netns, (fd) => send(ask(undefined, fd)));
    else send(ask());
  }

  #checkSame(netns: string, found: DecodedLink, link: Link, peer: AddLink["peer"]): void {
    const isSameVxlan =
      found.link.vxlan?.vni === link.vxlan?.vni && found.link.vxlan?.port === link.vxlan?.port;
    if (found.kind !== link.kind || !isSameVxlan)
      throw new KernelError(
        "EXISTS",
        `a ${found.kind ?? "link of another kind"} of that name is in ${netnsText(netns)}, with another kind, VNI or port: remove it first`,
      );
    if (peer === undefined) return;
    const other = findLink(this.#handles.get(peer.netns).route, peer.link.name);
    if (other?.kind !== "veth")
      throw new KernelError(
        "EXISTS",
        `it exists, but its peer is not ${peer.link.name} in ${netnsText(peer.netns)}: remove it first`,
      );
  }

  /** Who has the VNI: the kernel says only that somebody has. */
  #holder(errno: number, { vxlan }: Link): string {
    if (errno !== ERRNO.EEXIST || vxlan === undefined) return "";
    const names = ["", ...this.#namespaces.list("").slice(0, SEARCHED_MAX)];
    for (const netns of names) {
      const holder = this.#vxlans(netns).find(
        ({ link }) => link.vxlan?.vni === vxlan.vni && link.vxlan.port === vxlan.port,
      );
      if (holder !== undefined)
        return `; VNI ${vxlan.vni} on port ${vxlan.port} is that of ${holder.name} in ${netnsText(netns)}`;
    }
    return `; VNI ${vxlan.vni} on port ${vxlan.port} is that of a link in a namespace without a name, which a process or an open socket keeps`;
  }

  #vxlans(netns: string): readonly DecodedLink[] {
    // Not through `find`: searching all namespaces must not push the used ones out of the cache.
    const identity = this.#namespaces.identity(netns);
    if (identity === undefined) return [];
    const links = this.#handles.once(netns, (route) => route.dump(encodeDumpLinks(), decodeLink));
    return links.filter(({ kind }) => kind === "vxlan");
  }
}
