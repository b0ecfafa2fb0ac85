/** The peers of a WireGuard interface: as `wg` tells of them, as it takes them, and the difference. */
export type TunnelPeer = {
  readonly publicKey: string;
  /** "" = none. */
  readonly presharedKey: string;
  readonly endpoint: string;
  readonly allowedIp: string;
  /** Seconds; 0 = off: this side makes no session before it has something to send. */
  readonly keepaliveSec: number;
};

export type ObservedPeer = TunnelPeer & {
  /** Wall-clock ms; 0 = never. */
  readonly handshakeMs: number;
};

export type ObservedTunnel = {
  readonly privateKey: string;
  readonly port: number;
  readonly peers: readonly ObservedPeer[];
};

/** `wg show <link> dump`: one line of the interface, then one for each peer, in tabs. */
export function parseDump(text: string): ObservedTunnel {
  const [own = [], ...others] = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t").map((word) => (word === "(none)" ? "" : word)));
  return {
    privateKey: own[0] ?? "",
    port: Number(own[2] ?? 0),
    peers: others.map((words) => {
      const [publicKey = "", presharedKey = "", endpoint = "", allowedIp = ""] = words;
      const [handshake = "0", , , keepalive = "off"] = words.slice(4);
      return {
        ...{ publicKey, presharedKey, endpoint, allowedIp },
        handshakeMs: Number(handshake) * 1_000,
        keepaliveSec: keepalive === "off" ? 0 : Number(keepalive),
      };
    }),
  };
}

export type PeerChanges = {
  /** Public keys. */
  readonly removed: readonly string[];
  readonly set: readonly TunnelPeer[];
};

/**
 * `told`: endpoint last given, by public key. WireGuard follows a peer that is seen elsewhere, behind a translator for instance, and is
 * left to: an endpoint is given again only when it is another, or `isLost` says that the peer is not heard of.
 */
export function peerChanges(
  wanted: readonly TunnelPeer[],
  observed: readonly ObservedPeer[],
  told: ReadonlyMap<string, string>,
  isLost: (peer: ObservedPeer) => boolean,
): PeerChanges {
  const keys = new Set(wanted.map(({ publicKey }) => publicKey));
  const present = new Map(observed.map((peer) => [peer.publicKey, peer]));
  return {
    removed: observed.map(({ publicKey }) => publicKey).filter((key) => !keys.has(key)),
    set: wanted.filter((peer) => {
      const now = present.get(peer.publicKey);
      if (now === undefined) return true;
      const isElsewhere = now.endpoint !== peer.endpoint;
      const isOutdated = told.get(peer.publicKey) !== peer.endpoint || isLost(now);
      return (
        now.presharedKey !== peer.presharedKey ||
        now.keepaliveSec < peer.keepaliveSec ||
        now.allowedIp !== peer.allowedIp ||
        (isElsewhere && isOutdated)
      );
    }),
  };
}

/** As `wg addconf` reads it: a peer that is there takes over what is said, its session goes on. */
export function peerSections(peers: readonly TunnelPeer[]): string {
  return peers
    .map(({ publicKey, presharedKey, endpoint, allowedIp, keepaliveSec }) =>
      [
        "[Peer]",
        `PublicKey = ${publicKey}`,
        ...(presharedKey === "" ? [] : [`PresharedKey = ${presharedKey}`]),
        `AllowedIPs = ${allowedIp}`,
        `Endpoint = ${endpoint}`,
        ...(keepaliveSec === 0 ? [] : [`PersistentKeepalive = ${keepaliveSec}`]),
        "",
      ].join("\n"),
    )
    .join("\n");
}
