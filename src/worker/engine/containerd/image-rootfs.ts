/** Looks into an image's file system without starting anything: user names for the spec, first contents for volumes. */
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { lstat, mkdir, mkdtemp, open, readlink, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { SpecError } from "../../core/oci/index.js";
import { KeyedQueue } from "../limiter.js";
import type { Connection } from "./connection.js";
import { copyUp, isToBeFilled } from "./copy-up.js";
import { orMissing } from "./rpc-error.js";
import { snapshotsService } from "./services.js";
import type { Mount } from "./wire.js";

const run = promisify(execFile);

const ACCOUNT_FILE_BYTES_MAX = 4 * 1024 * 1024;
const CACHE_MAX = 256;
const LINKS_MAX = 40;
const COMMAND_TIMEOUT_MS = 10 * 60_000;
/** Prefix of our short-lived snapshots, so that those of a killed process can be found and removed. */
const VIEW_PREFIX = "swarm-view-";

export type Accounts = { readonly passwd: string; readonly group: string };

export class ImageRootfs {
  readonly #connection: Connection;
  readonly #snapshotter: string;
  readonly #tempDir: string;
  readonly #token: () => string;
  /** Layers never change: by chain id, oldest first. */
  readonly #accounts = new Map<string, Promise<Accounts>>();
  readonly #filling = new KeyedQueue();

  constructor(connection: Connection, snapshotter: string, tempDir: string, token: () => string) {
    this.#connection = connection;
    this.#snapshotter = snapshotter;
    this.#tempDir = tempDir;
    this.#token = token;
  }

  /** /etc/passwd and /etc/group of the image; "" where it has none. */
  accounts(chainId: string): Promise<Accounts> {
    const known = this.#accounts.get(chainId);
    if (known !== undefined) return known;
    const reading = this.#withRoot(chainId, async (root) => ({
      passwd: await readInRoot(root, "/etc/passwd"),
      group: await readInRoot(root, "/etc/group"),
    }));
    this.#accounts.set(chainId, reading);
    // A failure is not remembered; the caller gets it from `reading`.
    reading.catch(() => this.#accounts.delete(chainId));
    const oldest = this.#accounts.keys().next().value;
    if (this.#accounts.size > CACHE_MAX && oldest !== undefined) this.#accounts.delete(oldest);
    return reading;
  }

  /** Copies the image's files at `path` into `target` if that directory is empty: what a new volume starts with. */
  copyUp(chainId: string, path: string, target: string, signal: AbortSignal): Promise<void> {
    // Containers that begin together share a named volume: the second finds it filled.
    return this.#filling.run(target, async () => {
      if (!(await isToBeFilled(target))) return;
      await this.#withRoot(chainId, async (root) => {
        const source = await resolveInRoot(root, path);
        if (source === undefined) return;
        if (!(await lstat(source)).isDirectory())
          throw new SpecError(`cannot mount volume over existing file, file exists ${path}`);
        await copyUp(source, target, signal);
      });
    });
  }

  /** Removes what a killed process left. */
  async sweep(): Promise<void> {
    const request = { snapshotter: this.#snapshotter, filters: [`name~="^${VIEW_PREFIX}"`] };
    const left: string[] = [];
    for await (const { info } of this.#connection.stream(snapshotsService.list, request))
      left.push(
        ...info.map(({ name }) => name ?? "").filter((name) => name.startsWith(VIEW_PREFIX)),
      );
    for (const key of left) await this.#removeView(key);
  }

  async #withRoot<T>(chainId: string, use: (root: string) => Promise<T>): Promise<T> {
    const key = `${VIEW_PREFIX}${this.#token()}`;
    const { mounts } = await this.#connection.call(snapshotsService.view, {
      snapshotter: this.#snapshotter,
      key,
      parent: chainId,
      // Nothing refers to it: without this the collector could take it away under us.
      labels: { "containerd.io/gc.root": new Date(this.#connection.clock.wallMs()).toISOString() },
    });
    try {
      return await withMounted(mounts, this.#tempDir, use);
    } finally {
      await this.#removeView(key);
    }
  }

  async #removeView(key: string): Promise<void> {
    await orMissing(
      this.#connection.call(snapshotsService.remove, { snapshotter: this.#snapshotter, key }),
    );
  }
}

/** One layer is a plain directory; several need the kernel to apply whiteouts and opaque directories. */
async function withMounted<T>(
  mounts: readonly Mount[],
  tempDir: string,
  use: (root: string) => Promise<T>,
): Promise<T> {
  const mount = mounts[0];
  if (mount?.type === "bind" && mount.source) return use(mount.source);
  if (mount?.type !== "overlay")
    throw new Error(`snapshot mount of type "${mount?.type ?? "none"}" is not supported`);
  await mkdir(tempDir, { recursive: true, mode: 0o700 });
  const target = await mkdtemp(join(tempDir, "root-"));
  const lower = (mount.options ?? []).find((option) => option.startsWith("lowerdir=")) ?? "";
  const directories = lower.slice("lowerdir=".length).split(":");
  const base = commonDirectory(directories);
  // Relative names: the kernel takes one page of options, which absolute paths of 50 layers would fill.
  const options = `ro,lowerdir=${directories.map((path) => path.slice(base.length)).join(":")}`;
  try {
    await run("mount", ["-t", "overlay", "overlay", "-o", options, target], {
      cwd: base,
      timeout: COMMAND_TIMEOUT_MS,
    });
    try {
      return await use(target);
    } finally {
      await run("umount", [target], { timeout: COMMAND_TIMEOUT_MS });
    }
  } finally {
    await rmdir(target).catch(() => undefined);
  }
}

/** Longest common directory, with its closing slash. */
function commonDirectory(paths: readonly string[]): string {
  const [first = "/", ...rest] = paths;
  const parts = first.split("/").slice(0, -1);
  while (parts.length > 1 && !rest.every((path) => path.startsWith(`${parts.join("/")}/`)))
    parts.pop();
  return `${parts.join("/")}/`;
}

async function readInRoot(root: string, path: string): Promise<string> {
  const real = await resolveInRoot(root, path);
  if (real === undefined) return "";
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return "";
    if (stat.size > ACCOUNT_FILE_BYTES_MAX)
      throw new SpecError(`the image's ${path} is larger than ${ACCOUNT_FILE_BYTES_MAX} bytes`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

/** The host path of a path inside `root`, following links as the container would see them: never out of the root. */
export async function resolveInRoot(root: string, path: string): Promise<string | undefined> {
  const todo = path.split("/").reverse();
  const done: string[] = [];
  for (let links = 0; todo.length > 0; ) {
    const part = todo.pop() ?? "";
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    const here = join(root, ...done, part);
    const stat = await lstat(here).catch(() => undefined);
    if (stat === undefined) return undefined;
    if (!stat.isSymbolicLink()) {
      done.push(part);
      continue;
    }
    if (++links > LINKS_MAX) return undefined;
    const link = await readlink(here);
    if (link.startsWith("/")) done.length = 0;
    todo.push(...link.split("/").reverse());
  }
  return join(root, ...done);
}
