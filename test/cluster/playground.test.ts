/** `down` leaves nothing of the playground behind and nothing of anybody else's touched. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { EngineClient } from "../../src/cli/client.js";
import { create, eventually, managers, untilRunning } from "./playground.js";

const CLI = new URL("../../dist/cli/main.js", import.meta.url).pathname;
const SWARMD = new URL("../../dist/node/main.js", import.meta.url).pathname;

function swarm(...args: string[]): string {
  return execFileSync(process.execPath, [CLI, "playground", ...args], { encoding: "utf8" });
}

function lines(command: string): string[] {
  return execFileSync("sh", ["-c", command], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line !== "")
    .sort();
}

/** Everything that the playground makes on a machine. */
function footprint(): Record<string, string[]> {
  return {
    processes: lines(
      "ps -eo args | grep -E 'swarm-playground|containerd-shim' | grep -vE 'grep|<defunct>' || true",
    ),
    namespaces: lines("ls /run/netns 2>/dev/null || true"),
    mounts: lines("cut -d' ' -f5 /proc/self/mountinfo"),
    links: lines("ip -o link | sed -E 's/^[0-9]+: ([^:@]+).*/\\1/'"),
    tables: lines("nft list tables"),
    cgroups: lines("find /sys/fs/cgroup -type d -name '*swarm*' 2>/dev/null || true"),
    files: [...readdirSync("/run"), ...readdirSync("/var/lib")]
      .filter((name) => name.includes("swarm"))
      .sort(),
    runtimes: lines("ls /run/containerd/runc 2>/dev/null | grep swarm || true"),
    forwarding: [readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim()],
  };
}

const dir = mkdtempSync(join(tmpdir(), "swarm-other-"));
const children: ReturnType<typeof spawn>[] = [];

afterAll(async () => {
  for (const child of children) {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await gone;
  }
  execFileSync("sh", ["-c", "ip netns del t-other-net; nft delete table ip t_other"]);
  rmSync(dir, { recursive: true });
  // The files that run after this one find it up again.
  swarm("up");
});

test("this machine keeps the address by which the nodes know it, whatever host is plugged in", () => {
  const address = () => readFileSync("/sys/class/net/swarmpg0/address", "utf8");
  const before = address();
  // A bridge takes the lowest address of its ports, unless it has one of its own.
  execFileSync("sh", [
    "-ec",
    "ip link add t-low address 02:00:00:00:00:01 type veth peer name t-low-peer; ip link set t-low master swarmpg0 up",
  ]);
  try {
    expect(address()).toBe(before);
  } finally {
    execFileSync("ip", ["link", "del", "t-low"]);
  }
});

test("up beside another swarmd, namespaces and rules; down; all that is left is theirs", async () => {
  swarm("down");
  execFileSync("sh", ["-ec", "ip netns add t-other-net; nft add table ip t_other"]);
  const other = spawn(
    process.execPath,
    [
      SWARMD,
      ...["--hostname", "other", "--state-dir", join(dir, "state"), "--run-dir", join(dir, "run")],
      ...["--socket", join(dir, "swarm.sock"), "--engine", "simulated"],
      ...["--advertise-addr", "127.0.98.1", "--listen-addr", "127.0.98.1:2377"],
    ],
    { stdio: "ignore" },
  );
  children.push(other);
  const client = new EngineClient(join(dir, "swarm.sock"));
  await eventually("the other swarmd answers", 30_000, () =>
    existsSync(join(dir, "swarm.sock")) ? client.call("GET", "/info").then(() => true) : false,
  );
  await client.call("POST", "/swarm/init", {
    body: { ListenAddr: "127.0.98.1:2377", AdvertiseAddr: "127.0.98.1" },
  });
  await client.call("POST", "/services/create", {
    body: {
      Name: "theirs",
      TaskTemplate: { ContainerSpec: { Image: "demo", Command: ["sleep", "100000"] } },
    },
  });
  const before = footprint();
  expect(before["runtimes"]?.filter((name) => name.startsWith("swarmpg-"))).toEqual([]);

  swarm("up");
  const manager = managers()[0];
  if (manager === undefined) throw new Error("no manager");
  await create(manager, "ours", { replicas: 5 });
  await untilRunning(manager, "ours", 5);
  expect(footprint()).not.toEqual(before);
  swarm("down");

  expect(footprint()).toEqual(before);
  const services = await client.call<{ Spec: { Name: string } }[]>("GET", "/services");
  expect(services.map((service) => service.Spec.Name)).toEqual(["theirs"]);
  expect(other.exitCode).toBeNull();
});

test("down without a playground says so and succeeds", () => {
  swarm("down");
  expect(swarm("down")).toContain("no playground was up");
});

test("up twice is up once, and quick the second time", () => {
  swarm("up");
  const first = swarm("status", "--format", "json");
  const from = performance.now();
  swarm("up");
  expect(performance.now() - from).toBeLessThan(10_000);
  expect(swarm("status", "--format", "json")).toBe(first);
});
