import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { KernelError, NETNS_DIR, netnsPath, netnsText } from "../netns-kernel.js";
import type { Libc } from "./ffi.js";
import { callError, ERRNO, errnoName } from "./kernel-errno.js";

const CLONE_NEWNET = 0x4000_0000;
const MS_BIND = 0x1000;
const MS_REC = 0x4000;
const MS_SHARED = 0x10_0000;
const MNT_DETACH = 2;
const NSFS_MAGIC = 0x6e73_6673;
/** thread-self, not self: the namespace of this thread, not of the process's first one. */
const THREAD_NETNS = "/proc/thread-self/ns/net";
const STDERR = 2;
const EX_SOFTWARE = 70;

type SwitchLibc = Pick<Libc, "errno" | "setns" | "exitNow">;

/**
 * Runs `run` with this thread in another network namespace. `run` is synchronous, so nothing else of this thread can run there.
 * If the way back fails the whole process ends: whatever ran on would change the wrong namespace.
 */
export function runInside<T>(
  libc: SwitchLibc,
  ownFd: number,
  targetFd: number,
  name: string,
  run: () => T,
): T {
  if (libc.setns(targetFd, CLONE_NEWNET) !== 0) throw callError(`setns ${name}`, libc.errno());
  try {
    return run();
  } finally {
    comeBack(libc, ownFd, name);
  }
}

function comeBack(libc: SwitchLibc, ownFd: number, name: string): void {
  if (libc.setns(ownFd, CLONE_NEWNET) === 0) return;
  writeSync(
    STDERR,
    `net: cannot return from ${name} to the host's network namespace (${errnoName(libc.errno())}); ending the process, as it would go on in the wrong one\n`,
  );
  libc.exitNow(EX_SOFTWARE);
}

/** Named network namespaces, as `ip netns` keeps them: a file below /run/netns on which the namespace is bind-mounted. */
export class Namespaces {
  readonly #libc: Libc;
  readonly #ownFd: number;
  #isDirectoryShared = false;

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#ownFd = openSync(THREAD_NETNS, "r");
    mkdirSync(NETNS_DIR, { recursive: true, mode: 0o755 });
  }

  /** Tells one namespace from a later one of the same name; undefined when it is not there. */
  identity(netns: string): string | undefined {
    if (netns === "") return "";
    const path = netnsPath(netns);
    try {
      // A file without a mount is what a creator that died left, or one that is about to mount.
      return statfsSync(path).type === NSFS_MAGIC ? String(statSync(path).ino) : undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Throws KernelError NOT_FOUND. */
  inside<T>(netns: string, run: () => T): T {
    if (netns === "") return run();
    return this.withFd(netns, (fd) =>
      runInside(this.#libc, this.#ownFd, fd, netnsText(netns), run),
    );
  }

  /** Gives a descriptor of the namespace, closed afterwards. Throws KernelError NOT_FOUND. */
  withFd<T>(netns: string, use: (fd: number) => T): T {
    if (netns === "") return use(this.#ownFd);
    if (this.identity(netns) === undefined)
      throw new KernelError("NOT_FOUND", `${netnsText(netns)} does not exist`);
    const fd = openSync(netnsPath(netns), "r");
    try {
      return use(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Makes it unless it is there. `inNew` runs inside a new one before it can be seen by its name. */
  create(netns: string, inNew: () => void): void {
    const path = netnsPath(netns);
    if (this.identity(netns) !== undefined) return;
    this.#shareDirectory();
    closeSync(openSync(path, "a", 0o444));
    if (this.#libc.unshare(CLONE_NEWNET) !== 0) throw callError("unshare", this.#libc.errno());
    try {
      inNew();
      if (this.#libc.mount(THREAD_NETNS, path, "none", MS_BIND, null) !== 0)
        throw callError(`mount on ${path}`, this.#libc.errno());
    } finally {
      comeBack(this.#libc, this.#ownFd, `the new ${netnsText(netns)}`);
    }
  }

  /** The namespace ends once no process and no socket is in it any more. */
  remove(netns: string): void {
    const path = netnsPath(netns);
    if (this.#libc.umount2(path, MNT_DETACH) !== 0) {
      const errno = this.#libc.errno();
      if (errno !== ERRNO.EINVAL && errno !== ERRNO.ENOENT)
        throw callError(`umount ${path}`, errno);
    }
    try {
      unlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }

  list(prefix: string): readonly string[] {
    return readdirSync(NETNS_DIR)
      .filter((name) => name.startsWith(prefix))
      .sort();
  }

  /** So that a mount made here reaches other mount namespaces, and its removal too; as ip-netns(8) does. */
  #shareDirectory(): void {
    if (this.#isDirectoryShared) return;
    const share = (): number => this.#libc.mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, null);
    if (share() !== 0) {
      const errno = this.#libc.errno();
      // EINVAL: it is no mount point yet.
      if (errno !== ERRNO.EINVAL) throw callError(`mount --make-shared ${NETNS_DIR}`, errno);
      if (this.#libc.mount(NETNS_DIR, NETNS_DIR, "none", MS_BIND | MS_REC, null) !== 0)
        throw callError(`mount --bind ${NETNS_DIR}`, this.#libc.errno());
      if (share() !== 0) throw callError(`mount --make-shared ${NETNS_DIR}`, this.#libc.errno());
    }
    this.#isDirectoryShared = true;
  }
}
