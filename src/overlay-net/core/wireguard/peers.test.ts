import { expect, test } from "vitest";
import {
  type ObservedPeer,
  parseDump,
  peerChanges,
  peerSections,
  type TunnelPeer,
} from "./peers.js";

const PEER: TunnelPeer = {
  publicKey: "pub",
  presharedKey: "psk",
  endpoint: "10.0.0.2:4790",
  allowedIp: "198.18.0.2/32",
  keepaliveSec: 20,
};
const SEEN: ObservedPeer = { ...PEER, handshakeMs: 5_000 };

test("a dump of an interface and its peers", () => {
  const text =
    "priv\town\t4790\toff\npub\tpsk\t10.0.0.2:4790\t198.18.0.2/32\t5\t10\t20\t20\nnew\t(none)\t(none)\t(none)\t0\t0\t0\toff\n";
  expect(parseDump(text)).toEqual({
    privateKey: "priv",
    port: 4790,
    peers: [
      SEEN,
      {
        ...{ publicKey: "new", presharedKey: "", endpoint: "", allowedIp: "" },
        ...{ handshakeMs: 0, keepaliveSec: 0 },
      },
    ],
  });
});

test("a dump of an interface without keys", () => {
  expect(parseDump("(none)\t(none)\t35095\toff\n")).toEqual({
    privateKey: "",
    port: 35095,
    peers: [],
  });
});

const elsewhere = { ...SEEN, endpoint: "192.0.2.7:1234" };

test.each([
  { name: "as it should be", observed: [SEEN], set: 0, removed: 0 },
  { name: "missing", observed: [], set: 1, removed: 0 },
  {
    name: "with another shared key",
    observed: [{ ...SEEN, presharedKey: "x" }],
    set: 1,
    removed: 0,
  },
  { name: "that is not called yet", observed: [{ ...SEEN, keepaliveSec: 0 }], set: 1, removed: 0 },
  { name: "with another address", observed: [{ ...SEEN, allowedIp: "" }], set: 1, removed: 0 },
  { name: "that is not wanted", observed: [SEEN, { ...SEEN, publicKey: "x" }], set: 0, removed: 1 },
  { name: "seen elsewhere", observed: [elsewhere], set: 0, removed: 0 },
  { name: "seen elsewhere and lost", observed: [elsewhere], isLost: true, set: 1, removed: 0 },
  {
    name: "seen elsewhere, and its node has another address now",
    observed: [elsewhere],
    told: "10.0.0.9:4790",
    set: 1,
    removed: 0,
  },
])("a peer $name", ({ observed, set, removed, isLost = false, told = PEER.endpoint }) => {
  const changes = peerChanges([PEER], observed, new Map([["pub", told]]), () => isLost);
  expect([changes.set.length, changes.removed.length]).toEqual([set, removed]);
});

test("peers as they are told to WireGuard, with and without a shared key, called or waited for", () => {
  expect(
    peerSections([PEER, { ...PEER, publicKey: "other", presharedKey: "", keepaliveSec: 0 }]),
  ).toBe(
    `[Peer]
PublicKey = pub
PresharedKey = psk
AllowedIPs = 198.18.0.2/32
Endpoint = 10.0.0.2:4790
PersistentKeepalive = 20

[Peer]
PublicKey = other
AllowedIPs = 198.18.0.2/32
Endpoint = 10.0.0.2:4790
`,
  );
});
