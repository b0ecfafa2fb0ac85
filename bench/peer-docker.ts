/** The peer: real dockerd engines in swarm mode, one per network namespace, on this machine. */
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { promisify } from "node:util";
import type { BenchCluster, BenchNode } from "./cluster.js";
import { delay, Engine } from "./engine.js";
import { allReady } from "./ours.js";

const exec = promisify(execFile);
const DIR = "/var/lib/swarm-bench-peer";
const LAN = "benchpeer-lan";
const NODES = [
  ["n1", "manager"],
  ["n2", "manager"],
  ["n3", "manager"],
  ["n4", "worker"],
  ["n5", "worker"],
] as const;

const sh = async (script: string): Promise<string> =>
  (await exec("sh", ["-ec", script], { maxBuffer: 1e7 })).stdout;
const socketOf = (name: string): string => `${DIR}/${name}.sock`;
const addrOf = (name: string): string => `10.98.0.${name.slice(1)}`;

/** undefined: there is none on this machine. */
export function installedDockerd(): string | undefined {
  return ["/usr/sbin/dockerd", "/usr/bin/dockerd"].find((candidate) => existsSync(candidate));
}

function startEngine(dockerd: string, name: string): number {
  const log = openSync(`${DIR}/${name}.log`, "a");
  const script = `hostname ${name}; mount -t tmpfs tmpfs /run; exec ${dockerd} -H unix://${socketOf(name)} --data-root ${DIR}/${name} --exec-root /run/docker -p /run/docker.pid --cgroup-parent /benchpeer-${name} --iptables=false`;
  const child = spawn(
    "nsenter",
    [`--net=/run/netns/benchpeer-${name}`, "unshare", "-m", "-u", "sh", "-ec", script],
    { detached: true, stdio: ["ignore", log, log] },
  );
  child.unref();
  return child.pid ?? 0;
}

async function makeLan(): Promise<void> {
  await sh(
    `ip netns add ${LAN}; nsenter --net=/run/netns/${LAN} sh -ec 'ip link add name br0 type bridge; ip link set br0 up; ip link set lo up'`,
  );
  for (const [name] of NODES) {
    await sh(`ip netns add benchpeer-${name}
      ip link add name bp${name} netns ${LAN} type veth peer name eth0 netns benchpeer-${name}
      nsenter --net=/run/netns/${LAN} ip link set bp${name} master br0 up
      nsenter --net=/run/netns/benchpeer-${name} sh -ec 'ip link set lo up; ip addr add ${addrOf(name)}/24 dev eth0; ip link set eth0 up'`);
  }
}

/** The engine's own processes: dockerd, its containerd, its shims. */
function treeOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // Ended between the listing and the read.
    }
  }
  const tree = [root];
  for (let at = 0; at < tree.length; at++) {
    for (const [pid, parent] of parents) if (parent === tree[at]) tree.push(pid);
  }
  return tree;
}

async function answers(name: string): Promise<void> {
  const engine = new Engine(socketOf(name));
  for (let tries = 0; tries < 300; tries++) {
    const reply = await engine.send("GET", "/info").catch(() => undefined);
    if (reply?.status === 200) return engine.close();
    await delay(100);
  }
  throw new Error(`dockerd of ${name} does not answer; see ${DIR}/${name}.log`);
}

async function formCluster(): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  const first = new Engine(socketOf("n1"));
  await first.json("POST", "/swarm/init", {
    ListenAddr: `${addrOf("n1")}:2377`,
    AdvertiseAddr: addrOf("n1"),
  });
  const tokens = (
    await first.json<{ JoinTokens: { Worker: string; Manager: string } }>("GET", "/swarm")
  ).JoinTokens;
  for (const [name, role] of NODES) {
    const engine = new Engine(socketOf(name));
    if (name !== "n1") {
      await engine.json("POST", "/swarm/join", {
        ListenAddr: `${addrOf(name)}:2377`,
        AdvertiseAddr: addrOf(name),
        RemoteAddrs: [`${addrOf("n1")}:2377`],
        JoinToken: role === "manager" ? tokens.Manager : tokens.Worker,
      });
    }
    ids.set(name, (await engine.json<{ Swarm: { NodeID: string } }>("GET", "/info")).Swarm.NodeID);
    engine.close();
  }
  first.close();
  return ids;
}

export async function startDockerPeer(
  dockerd: string,
  image: string,
  tar: Buffer,
): Promise<BenchCluster> {
  rmSync(DIR, { recursive: true, force: true });
  mkdirSync(DIR, { recursive: true });
  await makeLan();
  const pids = new Map<string, number>(NODES.map(([name]) => [name, startEngine(dockerd, name)]));
  const remove = async (): Promise<void> => {
    for (const pid of [...pids.values()].flatMap(treeOf)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // Gone already.
      }
    }
    await delay(1_000);
    await sh(`for n in $(ls /run/netns | grep '^benchpeer-'); do ip netns del $n; done
      for d in /sys/fs/cgroup/*/benchpeer-*; do [ -d "$d" ] && find "$d" -depth -type d -exec rmdir {} + || true; done
      rm -rf ${DIR}`);
  };
  try {
    await Promise.all(NODES.map(([name]) => answers(name)));
    const ids = await formCluster();
    for (const [name] of NODES) {
      const engine = new Engine(socketOf(name));
      await engine.upload("/images/load?quiet=1", tar);
      engine.close();
    }
    const nodes = (): Promise<readonly BenchNode[]> =>
      Promise.resolve(
        NODES.map(([name, role]) => ({
          name,
          role,
          socket: socketOf(name),
          nodeId: ids.get(name) ?? "",
          managerPid: pids.get(name) ?? 0,
          pids: treeOf(pids.get(name) ?? 0).filter((pid) =>
            /dockerd|containerd$/.test(commOf(pid)),
          ),
        })),
      );
    return {
      name: "docker 20.10",
      image,
      nodes,
      heal: async () => {
        for (const [name] of NODES) {
          if (existsSync(`/proc/${pids.get(name)}`)) continue;
          pids.set(name, startEngine(dockerd, name));
          await answers(name);
        }
        await allReady(nodes);
      },
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function commOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}
