/** Services on overlay networks: made, entered, asked. */
import { execFileSync } from "node:child_process";
import type { ApiTask } from "../../src/cli/api-types.js";
import {
  api,
  containerPids,
  docker,
  IMAGE,
  leader,
  status,
  swarm,
  type TestNode,
} from "./playground.js";

export const HTTPD = ["httpd", "-f", "-p", "80", "-h", "/www"];
/** Seconds a page may take that ought to come. */
const PAGE_LIMIT_S = 3;

export type Attached = ApiTask & {
  readonly NetworksAttachments?: readonly {
    readonly Network: { readonly Spec: { readonly Name: string } };
    readonly Addresses: readonly string[];
  }[];
};

export function on(...networks: readonly string[]): object {
  return { task: { Networks: networks.map((name) => ({ Target: name })) } };
}

/** Of a container that serves the demo's page. */
export const PAGE_ENV = {
  container: { Env: ["TASK_NAME={{.Task.Name}}", "NODE_NAME={{.Node.Hostname}}"] },
};

export async function makeNetworks(manager: TestNode, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const made = await docker(manager, "network", "create", "--driver", "overlay", name);
    if (made.code !== 0) throw new Error(made.stderr);
  }
}

export async function removeNetworks(names: readonly string[]): Promise<void> {
  for (const name of names) await docker(await leader(), "network", "rm", name);
}

/** The process of the task's container, in this machine's numbers. */
/** A container outside services that serves, on w1 under the name "tool"; the id of its task. */
export async function startTool(manager: TestNode, network: string): Promise<string> {
  const where = ["--name", "tool", "--stop-grace-period", "1s", "--node", "w1"];
  const started = await swarm(manager, "run", ...where, "--network", network, IMAGE, ...HTTPD);
  if (started.code !== 0 || started.stderr !== "") throw new Error(started.stderr);
  return started.stdout.trim();
}

export function pidOf(task: ApiTask): number {
  const host = status().nodes.find(({ nodeId }) => nodeId === task.NodeID);
  const pid = host === undefined ? undefined : containerPids(host).get(task.ID);
  if (pid === undefined) throw new Error(`task ${task.ID} has no process`);
  return pid;
}

/** Runs a command where the task's container is: its files, its network. */
export function inTask(task: ApiTask, ...command: string[]): string {
  return inContainer(pidOf(task), ...command);
}

export function inContainer(pid: number, ...command: string[]): string {
  return execFileSync("nsenter", ["-t", String(pid), "-m", "-n", "--", ...command], {
    encoding: "utf8",
    timeout: 60_000,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

export function pageFrom(task: ApiTask, name: string): string {
  return inTask(task, "wget", "-qO-", `http://${name}/`);
}

/** The id of the task that made the page. */
export function taskIn(page: string): string {
  return /task \S+?\.\w+\.(\w+)/.exec(page)?.[1] ?? "";
}

/** Hosts of these that do not give the container their page. */
export function unreachableFrom(
  pid: number,
  hosts: readonly string[],
  limitS = PAGE_LIMIT_S,
): string[] {
  const script = `for host in ${hosts.join(" ")}; do
    busybox timeout ${limitS} wget -qO- http://$host/ > /dev/null 2>&1 || echo $host
  done`;
  return inContainer(pid, "sh", "-c", script).split("\n").filter(Boolean);
}

/** IPv4 address of the task on a network. */
export function addressOn(task: Attached, network: string): string {
  const attachment = task.NetworksAttachments?.find(({ Network }) => Network.Spec.Name === network);
  const address = attachment?.Addresses.find((text) => text.includes("."));
  if (address === undefined) throw new Error(`task ${task.ID} has no address on ${network}`);
  return address.replace(/\/\d+$/, "");
}

/** IPv4 address of a service on the network with this id, or on its only one. */
export async function vipOf(manager: TestNode, service: string, network: string): Promise<string> {
  const { Id } = await api(manager).call<{ Id: string }>("GET", `/networks/${network}`);
  const inspected = await api(manager).call<{
    Endpoint: { VirtualIPs?: { NetworkID: string; Addr: string }[] };
  }>("GET", `/services/${service}`);
  const vip = inspected.Endpoint.VirtualIPs?.find(
    ({ NetworkID, Addr }) => NetworkID === Id && Addr.includes("."),
  );
  if (vip === undefined) throw new Error(`${service} has no address on ${network}`);
  return vip.Addr.replace(/\/\d+$/, "");
}
