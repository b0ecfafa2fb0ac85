import type { NodeTunnel } from "../../api/index.js";
import type { Clock, Logger } from "../../base/index.js";
import { type NodeNames, tunnelAlias, tunnelLink } from "../core/names.js";
import type { NetworkState } from "../core/network-state.js";
import {
  choiceOf,
  HANDSHAKE_FRESH_MS,
  isConfirmed,
  KEEPALIVE_SEC,
  mayCall,
  type PairUse,
  pairChoices,
  stepPair,
} from "../core/wireguard/pair-key.js";
import { type ObservedPeer, peerChanges, type TunnelPeer } from "../core/wireguard/peers.js";
import { rotationStep, usableKeys } from "../core/wireguard/rotation.js";
import { type PlannedPeer, type TunnelPlan, tunnelPlan } from "../core/wireguard/tunnel-plan.js";
import { type KeyFile, newPairKey, newTunnelKeys, type TunnelKeys } from "./key-file.js";
import { pairKey } from "./keys.js";
import {
  type Implementation,
  type PresentTunnel,
  type TunnelDevice,
  TunnelError,
} from "./tunnel-device.js";

export type EncryptedTunnelOptions = {
  readonly names: NodeNames;
  readonly device: TunnelDevice;
  readonly keys: Pick<KeyFile, "read" | "write">;
  readonly clock: Clock;
  readonly logger: Logger;
};

/**
 * The WireGuard interface that this node's encrypted networks go through, while it is on any: made, kept and configured from what the managers
 * said. What is in the kernel, or in wireguard-go, stays when this process ends. Calls must not overlap.
 */
export class EncryptedTunnel {
  readonly #options: EncryptedTunnelOptions;
  readonly #link: string;
  #keys: TunnelKeys | undefined;
  #implementation: Implementation | undefined;
  /** By public key of the peer. */
  #uses = new Map<string, PairUse>();
  #endpoints = new Map<string, string>();
  /** What was done last, as text; "" when that is not known. */
  #done = "";
  #problem = "";
  /** A peer was given the time to call first. */
  #isWaiting = false;
  /** There may be an interface, of this process or an earlier one. */
  #mayBeThere = true;

  constructor(options: EncryptedTunnelOptions) {
    this.#options = options;
    this.#link = tunnelLink(options.names);
  }

  /** Why encrypted networks do not work here, with the remedy; "" when they do or are not needed. */
  get problem(): string {
    return this.#problem;
  }

  /** For the other nodes; undefined before this node was on an encrypted network. */
  get published(): NodeTunnel | undefined {
    if (this.#keys === undefined || this.#implementation === undefined) return undefined;
    const { identity, pairKeys } = this.#keys;
    return {
      Implementation: this.#implementation,
      PublicKey: identity.publicKey,
      PairKeys: pairKeys.map(({ publicKey }) => publicKey),
    };
  }

  /**
   * Brings the interface to what follows from `state`. Looks at it when something is different from the last time, or with `mustLook`;
   * then old sessions and keys are taken care of too. Returns whether to look again soon. Never rejects: see `problem`.
   */
  async follow(state: NetworkState, mustLook: boolean): Promise<boolean> {
    const plan = tunnelPlan(state, this.#options.names);
    try {
      if (plan === undefined) await this.#removeLink();
      else if (mustLook || JSON.stringify(plan) !== this.#done) await this.#bringTo(plan);
      this.#setProblem("");
    } catch (error) {
      this.#done = "";
      if (!(error instanceof TunnelError)) throw error;
      this.#setProblem(error.message);
    }
    return this.#isWaiting;
  }

  /** What is not as it should be, a line each. */
  async findings(state: NetworkState): Promise<readonly string[]> {
    const plan = tunnelPlan(state, this.#options.names);
    if (plan === undefined || this.#keys === undefined) return [];
    const present = await this.#options.device.look(plan.link);
    if (!isSound(present, plan, this.#keys))
      return [`host: WireGuard interface ${plan.link} ${present ? "differs" : "is missing"}`];
    // As set last: that another choice is due is no finding.
    const wanted = this.#peersOf(plan, this.#uses, this.#keys, () => 0);
    const { removed, set } = peerChanges(wanted, present.peers, this.#endpoints, () => false);
    return [
      ...set.map(({ allowedIp }) => `host: WireGuard peer ${allowedIp} is missing or differs`),
      ...removed.map((key) => `host: WireGuard peer ${key} should not exist`),
    ];
  }

  async #removeLink(): Promise<void> {
    if (!this.#mayBeThere) return;
    await this.#options.device.remove(this.#link);
    this.#mayBeThere = false;
    this.#done = "";
    this.#isWaiting = false;
    this.#uses.clear();
    this.#endpoints.clear();
  }

  async #bringTo(plan: TunnelPlan): Promise<void> {
    const { device, clock, logger } = this.#options;
    this.#mayBeThere = true;
    const keys = await this.#loadKeys();
    let present = await device.look(plan.link);
    if (!isSound(present, plan, keys)) {
      const alias = tunnelAlias(this.#options.names);
      const { link, address, port, mtu } = plan;
      const { privateKey } = keys.identity;
      await device.open({ link, alias, address, port, mtu, privateKey });
      present = await device.look(plan.link);
      if (present === undefined)
        throw new TunnelError("FAILED", `WireGuard interface ${link} does not stay`);
      const { implementation } = present;
      logger.info({ link, implementation, address, port }, "encrypted networks have their tunnel");
    }
    this.#implementation = present.implementation;
    const uses = this.#nextUses(plan, present, keys);
    const nowMs = clock.wallMs();
    const found = present;
    const wanted = this.#peersOf(plan, uses, keys, (peer, use) => {
      const handshakeMs = handshakeOf(found, peer);
      const isPatient = plan.index > peer.index;
      return mayCall(use, { handshakeMs, nowMs, isPatient }) ? KEEPALIVE_SEC : 0;
    });
    this.#isWaiting = wanted.some(({ keepaliveSec }) => keepaliveSec === 0);
    const isLost = ({ handshakeMs }: ObservedPeer) => nowMs - handshakeMs > HANDSHAKE_FRESH_MS;
    const changes = peerChanges(wanted, present.peers, this.#endpoints, isLost);
    if (changes.set.length + changes.removed.length > 0) await device.setPeers(plan.link, changes);
    this.#uses = uses;
    this.#endpoints = new Map(wanted.map(({ publicKey, endpoint }) => [publicKey, endpoint]));
    await this.#rotate(plan, present, keys);
    this.#done = JSON.stringify(plan);
  }

  async #loadKeys(): Promise<TunnelKeys> {
    if (this.#keys !== undefined) return this.#keys;
    const { keys, names, clock } = this.#options;
    const stored = await keys.read(names.nodeId);
    const found = stored ?? newTunnelKeys(names.nodeId, clock.wallMs());
    if (stored === undefined) await keys.write(found);
    this.#keys = found;
    return found;
  }

  #nextUses(
    { peers, index, publishedPairKeys }: TunnelPlan,
    present: PresentTunnel,
    keys: TunnelKeys,
  ): Map<string, PairUse> {
    const nowMs = this.#options.clock.wallMs();
    const own = usableKeys(keys.pairKeys, publishedPairKeys);
    return new Map(
      peers.map((peer) => {
        const facts = {
          choices: pairChoices(own, peer.pairKeys),
          handshakeMs: handshakeOf(present, peer),
          nowMs,
          isPatient: index > peer.index,
        };
        return [peer.publicKey, stepPair(this.#uses.get(peer.publicKey), facts)];
      }),
    );
  }

  /** A peer whose keys are none is left out: nothing goes to it. */
  #peersOf(
    { peers }: TunnelPlan,
    uses: ReadonlyMap<string, PairUse>,
    keys: TunnelKeys,
    keepaliveOf: (peer: PlannedPeer, use: PairUse) => number,
  ): readonly TunnelPeer[] {
    return peers.flatMap((peer) => {
      const { nodeId, publicKey, endpoint, allowedIp } = peer;
      const use = uses.get(publicKey);
      const choice = use === undefined ? undefined : choiceOf(use);
      const own = keys.pairKeys.find((one) => one.publicKey === choice?.own);
      if (use === undefined || choice === undefined || own === undefined) return [];
      try {
        const nodes = [keys.identity.publicKey, publicKey] as const;
        const presharedKey = pairKey(own.privateKey, choice.theirs, nodes);
        const keepaliveSec = keepaliveOf(peer, use);
        return [{ publicKey, endpoint, allowedIp, presharedKey, keepaliveSec }];
      } catch (error) {
        this.#options.logger.warn({ error, nodeId }, "a node's public keys are unusable");
        return [];
      }
    });
  }

  async #rotate(plan: TunnelPlan, present: PresentTunnel, keys: TunnelKeys): Promise<void> {
    const { clock, logger } = this.#options;
    const nowMs = clock.wallMs();
    const peers = plan.peers.map((peer) => {
      const use = this.#uses.get(peer.publicKey);
      return {
        isDown: peer.isDown,
        ownKey: use === undefined ? "" : (choiceOf(use)?.own ?? ""),
        isConfirmed: use !== undefined && isConfirmed(use, handshakeOf(present, peer)),
      };
    });
    const held = keys.pairKeys;
    const step = rotationStep({ held, published: plan.publishedPairKeys, peers, nowMs });
    if (step === "none") return;
    const pairKeys = step === "make" ? [...held, newPairKey(nowMs)] : held.slice(1);
    const next = { ...keys, pairKeys };
    await this.#options.keys.write(next);
    this.#keys = next;
    logger.info({ step, keyCount: pairKeys.length }, "encrypted networks: pair keys are changing");
  }

  #setProblem(text: string): void {
    if (text === this.#problem) return;
    this.#problem = text;
    if (text !== "")
      this.#options.logger.error({ problem: text }, "encrypted networks do not work");
  }
}

function handshakeOf(present: PresentTunnel, { publicKey }: PlannedPeer): number {
  return present.peers.find((peer) => peer.publicKey === publicKey)?.handshakeMs ?? 0;
}

/** As it should be, its peers aside. */
function isSound(
  present: PresentTunnel | undefined,
  { address, port, mtu }: TunnelPlan,
  { identity }: TunnelKeys,
): present is PresentTunnel {
  return (
    present !== undefined &&
    present.isUp &&
    present.alias !== "" &&
    present.privateKey === identity.privateKey &&
    present.port === port &&
    present.mtu === mtu &&
    present.addresses.length === 1 &&
    present.addresses[0] === address
  );
}
