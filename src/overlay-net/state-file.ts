import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";

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
export async function readStateFile(path: string): Promise<StoredState | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const [sum, ...rest] = text.split("\n");
  const body = rest.join("\n");
  if (sum !== checksum(body)) return undefined;
  return JSON.parse(body) as StoredState;
}

/** Atomic; lives in the run directory, so a reboot forgets it together with the kernel's state. */
export async function writeStateFile(path: string, state: StoredState): Promise<void> {
  const body = JSON.stringify(state);
  await writeFile(`${path}.new`, `${checksum(body)}\n${body}`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
