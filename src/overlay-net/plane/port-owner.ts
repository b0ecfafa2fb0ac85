/** Who listens on a port of this host: for the operator who must free it. */
import { readdir, readFile, readlink } from "node:fs/promises";

/** State column of /proc/net/tcp. */
const TCP_LISTEN = "0A";
/** Descriptors looked at before the search is given up. */
const DESCRIPTORS_MAX = 200_000;

/** `nginx (pid 12)`; undefined when it cannot be found out. Sees the namespace of this process. */
export async function portOwner(
  protocol: "tcp" | "udp" | "sctp",
  port: number,
): Promise<string | undefined> {
  const tables = [`/proc/net/${protocol}`, `/proc/net/${protocol}6`];
  const texts = await Promise.all(tables.map((path) => readFile(path, "utf8").catch(() => "")));
  const inodes = new Set(texts.flatMap((text) => listenerInodes(text, protocol, port)));
  return inodes.size === 0 ? undefined : await holderOf(inodes);
}

/** Inodes of the sockets that listen on the port, of a table as in proc_net(5). */
export function listenerInodes(table: string, protocol: string, port: number): readonly string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => {
      const isListening = protocol !== "tcp" || state === TCP_LISTEN;
      return isListening && local?.endsWith(`:${hex}`) === true;
    })
    .map((fields) => fields[9] ?? "0")
    .filter((inode) => inode !== "0");
}

async function holderOf(inodes: ReadonlySet<string>): Promise<string | undefined> {
  let looked = 0;
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      looked++;
      if (looked > DESCRIPTORS_MAX) return undefined;
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) return await nameOf(pid);
    }
  }
  return undefined;
}

async function nameOf(pid: string): Promise<string> {
  if (Number(pid) === process.pid) return "a container of this node that publishes it in mode host";
  const comm = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
  return `${comm.trim() || "a program"} (pid ${pid})`;
}
