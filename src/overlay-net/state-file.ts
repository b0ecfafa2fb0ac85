import { createHash } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import type { JoinedNetwork } from "./core/local-facts.js";

/** What a container on overlay networks was attached with, and connected to since. */
export type OverlayAttachment = {
  /** "" of one that was started on none. */
  readonly taskId: string;
  /** In the order of its interfaces, from eth1 on. */
  readonly networkIds: readonly string[];
  /** Networks that it was connected to while it ran; absent: none. */
  readonly joined?: readonly JoinedNetwork[];
  /** The user's own; empty: the node's. */
  readonly dnsServers: readonly string[];
  readonly ndots: number;
  /** None of its networks leads out: it is not on the node's bridge. */
  readonly isInternalOnly: boolean;
};

/** What net must remember over its own restart: who has which address and port. */
export type StoredAttachment = {
  readonly containerId: string;
  /** Name of its network namespace; "" for host mode. */
  readonly netns: string;
  readonly mode: "default" | "host" | "none";
  /** a.b.c.d; "" unless mode is default. */
  readonly address: string;
  readonly hostPorts: readonly {
    readonly protocol: "tcp" | "udp" | "sctp";
    readonly targetPort: number;
    readonly publishedPort: number;
  }[];
  /** Absent for a container on no overlay network. */
  readonly overlay?: OverlayAttachment;
};

/** A namespace with its link and address, ready to be given to a container. */
export type Spare = { readonly netns: string; readonly address: string };

export type StoredState = {
  readonly nodeId: string;
  /** a.b.c.d/len of the bridge. */
  readonly subnet: string;
  readonly attachments: readonly StoredAttachment[];
  /** Endpoints made ahead, for nobody yet. */
  readonly spares: readonly Spare[];
};

function checksum(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

/** undefined when there is none, or when it is damaged: then nothing is deleted on its account. */
export function readStateFile(path: string): Promise<StoredState | undefined> {
  return readChecked<StoredState>(path);
}

/** Atomic; lives in the run directory, so a reboot forgets it together with the kernel's state. */
export function writeStateFile(path: string, state: StoredState): Promise<void> {
  return writeChecked(path, state);
}

/** A file of `writeChecked`; undefined when there is none, or its checksum is another. */
export async function readChecked<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text === undefined ? undefined : checkedValue<T>(text);
}

/** Up to this size a file of the run directory, which is in memory, is written sooner than a thread of the pool is told to. */
const AT_ONCE_LENGTH_MAX = 64 * 1024;

/** The value as JSON under its checksum; takes the place of the former file in one step. Not synced to disk. */
export async function writeChecked(path: string, value: unknown): Promise<void> {
  const text = checkedText(value);
  if (text.length <= AT_ONCE_LENGTH_MAX) {
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return;
  }
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** The value as JSON under its checksum. */
export function checkedText(value: unknown): string {
  const body = JSON.stringify(value);
  return `${checksum(body)}\n${body}`;
}

/** undefined when the checksum is another. */
export function checkedValue<T>(text: string): T | undefined {
  const [sum, ...rest] = text.split("\n");
  const body = rest.join("\n");
  return sum === checksum(body) ? (JSON.parse(body) as T) : undefined;
}
