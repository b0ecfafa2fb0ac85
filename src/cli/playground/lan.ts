import { readdir, readFile, writeFile } from "node:fs/promises";
import {
  GATEWAY,
  GATEWAY_MAC,
  type Layout,
  type NodePlan,
  OUTSIDE_ADDR,
  OUTSIDE_NETNS,
  UNDERLAY,
} from "./layout.js";
import { runTool, runToolUnless } from "./run-tool.js";

const THERE_ALREADY = /File exists/;
const GONE_ALREADY = /No such|Cannot find device|does not exist/;
/** As net names it. */
const TUNNEL_PREFIX = "swwg";
const IP_FORWARD = "/proc/sys/net/ipv4/ip_forward";

/** The underlay: a bridge on this machine, a network namespace per host, one more for an outside client. */
export async function makeLan(
  layout: Layout,
  nodes: readonly NodePlan[],
): Promise<{ readonly forwardBefore: string }> {
  const forwardBefore = (await readFile(IP_FORWARD, "utf8")).trim();
  await runToolUnless(THERE_ALREADY, "ip", [
    "link",
    "add",
    "name",
    layout.bridge,
    "type",
    "bridge",
  ]);
  await runTool(
    "ip",
    ["-batch", "-"],
    `link set dev ${layout.bridge} address ${GATEWAY_MAC}\naddr replace ${GATEWAY}/24 dev ${layout.bridge}\nlink set dev ${layout.bridge} up\n`,
  );
  await writeFile(IP_FORWARD, "1");
  await runTool("nft", ["-f", "-"], masqueradeRules(layout));
  for (const node of nodes) await joinLan(layout, node.netns, node.addr);
  await joinLan(layout, OUTSIDE_NETNS, OUTSIDE_ADDR);
  return { forwardBefore };
}

function masqueradeRules(layout: Layout): string {
  return `table ip ${layout.nftTable} { }
delete table ip ${layout.nftTable}
table ip ${layout.nftTable} {
  chain post {
    type nat hook postrouting priority 100; policy accept;
    ip saddr ${UNDERLAY}.0/24 oifname != "${layout.bridge}" masquerade;
  }
}
`;
}

async function joinLan(layout: Layout, netns: string, addr: string): Promise<void> {
  await runToolUnless(THERE_ALREADY, "ip", ["netns", "add", netns]);
  const hostLink = `spg${addr.split(".").at(-1)}`;
  await runToolUnless(GONE_ALREADY, "ip", ["link", "del", "dev", hostLink]);
  await runTool(
    "ip",
    ["-batch", "-"],
    `link add name ${hostLink} type veth peer name eth0 netns ${netns}\nlink set dev ${hostLink} master ${layout.bridge} up\n`,
  );
  await runTool(
    "nsenter",
    [`--net=/run/netns/${netns}`, "ip", "-batch", "-"],
    `link set dev lo up\naddr replace ${addr}/24 dev eth0\nlink set dev eth0 up\nroute replace default via ${GATEWAY} dev eth0\n`,
  );
}

/** `containerNetns`: names made by the nodes' net processes that were not there to clean up themselves. */
export async function removeLan(
  layout: Layout,
  containerNetnsPrefixes: readonly string[],
  forwardBefore: string | undefined,
): Promise<void> {
  // By name, not only through their namespaces: the kernel takes those apart some time after the command has returned.
  for (const link of await portsOf(layout.bridge)) {
    await runToolUnless(GONE_ALREADY, "ip", ["link", "del", "dev", link]);
  }
  const names = await readdir("/run/netns").catch(() => []);
  const ours = names.filter(
    (name) =>
      name.startsWith(layout.netnsPrefix) ||
      containerNetnsPrefixes.some((prefix) => name.startsWith(prefix)),
  );
  for (const name of ours) {
    await removeTunnel(name);
    await runToolUnless(GONE_ALREADY, "ip", ["netns", "del", name]);
  }
  await runToolUnless(GONE_ALREADY, "ip", ["link", "del", "dev", layout.bridge]);
  await runTool(
    "nft",
    ["-f", "-"],
    `table ip ${layout.nftTable} { }\ndelete table ip ${layout.nftTable}\n`,
  );
  if (forwardBefore === "0") await writeFile(IP_FORWARD, "0");
}

function portsOf(bridge: string): Promise<string[]> {
  return linksOf(["link", "show", "master", bridge]);
}

/** A host's WireGuard interface, which ends wireguard-go: it would keep the namespace. */
async function removeTunnel(netns: string): Promise<void> {
  const links = await linksOf(["-n", netns, "link", "show"]);
  for (const link of links.filter((name) => name.startsWith(TUNNEL_PREFIX)))
    await runToolUnless(GONE_ALREADY, "ip", ["-n", netns, "link", "del", "dev", link]);
}

async function linksOf(command: readonly string[]): Promise<string[]> {
  const text = await runTool("ip", ["-j", ...command]).catch(() => "[]");
  const links = JSON.parse(text || "[]") as readonly { readonly ifname?: string }[];
  return links.map((link) => link.ifname ?? "").filter((name) => name !== "");
}
