/** Two hosts, each a network namespace on one bridge. Their nodes' names begin so that nothing else on this machine is touched. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const exec = promisify(execFile);

const PREFIX = "t-nbench-";
/** First eight characters of the nodes' ids, without the host's number: they name what the net processes make. */
const NODE_PREFIX = "nbenchh";
const LAN = `${PREFIX}lan`;

export type BenchHost = {
  readonly index: number;
  readonly nodeId: string;
  /** Name below /run/netns. */
  readonly netns: string;
  /** On the underlay. */
  readonly address: string;
};

function hostOf(index: number): BenchHost {
  return {
    index,
    nodeId: `${NODE_PREFIX}${index}0123456789abcdefg`,
    netns: `${PREFIX}h${index}`,
    address: `10.94.0.${index}`,
  };
}

export const NEAR = hostOf(1);
export const FAR = hostOf(2);
const HOSTS = [NEAR, FAR];

export async function sh(script: string): Promise<string> {
  const { stdout } = await exec("bash", ["-ec", script], { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

export async function inNetns(netns: string, command: string): Promise<string> {
  return await sh(`nsenter --net=/run/netns/${netns} ${command}`);
}

export async function makeHosts(): Promise<void> {
  await removeHosts();
  await sh(`ip netns add ${LAN}
    ip -n ${LAN} link add name br0 type bridge
    ip -n ${LAN} link set dev br0 up`);
  for (const { netns, index, address } of HOSTS) {
    await sh(`ip netns add ${netns}
      ip -n ${LAN} link add name p${index} type veth peer name eth0 netns ${netns}
      ip -n ${LAN} link set dev p${index} master br0 up
      ip -n ${netns} link set dev lo up; ip -n ${netns} link set dev eth0 up
      ip -n ${netns} addr add ${address}/24 dev eth0`);
  }
}

/** Takes everything away, also what a run that was killed left. A tunnel's process ends with its link. */
export async function removeHosts(): Promise<void> {
  await sh(
    `for n in $(ls /run/netns 2>/dev/null | grep -E '^(${PREFIX}|swarm-${NODE_PREFIX}[12])' || true); do
       for l in $(ip -n $n -o link 2>/dev/null | grep -oE 'swwg${NODE_PREFIX}[12]' | sort -u); do ip -n $n link del $l; done
       ip netns del $n
     done`,
  );
}
