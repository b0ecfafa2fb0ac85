/**
 * One swarmd per state directory. The lock is the kernel's (flock): it ends with the last process that holds the open file,
 * also after SIGKILL and also across PID and network namespaces, where a pid in a file would mean nothing. Node cannot call
 * flock, but the lock belongs to the open file description: flock(1) of util-linux or busybox takes it on a descriptor it
 * inherits from us, ends, and leaves it with us. The children inherit the descriptor too, so a new supervisor cannot start
 * a second manager on the log of one that has not died yet.
 */
import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Children of a killed supervisor end within 1 s of losing it (contracts §4); this leaves them room. */
export const WAIT_FOR_ORPHANS_MS = 5_000;
const RETRY_MS = 100;

export class LockError extends Error {
  override readonly name = "LockError";
  readonly code: "HELD" | "NO_FLOCK";

  constructor(code: "HELD" | "NO_FLOCK", message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type StateLock = {
  /** To be inherited by children. */
  readonly fd: number;
  release(): void;
};

/** Rejects with LockError: HELD names the holder's pid. */
export async function lockStateDirectory(
  path: string,
  waitMs: number = WAIT_FOR_ORPHANS_MS,
): Promise<StateLock> {
  // "a+" neither truncates the holder's pid nor fails when the file is new.
  const fd = openSync(path, "a+", 0o600);
  try {
    for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
      if (tryLock(fd)) break;
      const holder = readFileSync(path, "utf8").trim();
      const isOrphaned = holder === "" || !isAlive(Number(holder));
      if (!isOrphaned || waitedMs >= waitMs) throw held(path, holder);
      await delay(RETRY_MS);
    }
    ftruncateSync(fd, 0);
    writeSync(fd, `${process.pid}\n`);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return {
    fd,
    release: () => {
      closeSync(fd);
    },
  };
}

function tryLock(fd: number): boolean {
  const done = spawnSync("flock", ["-x", "-n", "3"], {
    stdio: ["ignore", "ignore", "pipe", fd],
  });
  if (done.error !== undefined) {
    throw new LockError(
      "NO_FLOCK",
      `cannot run flock, which guards the state directory (${done.error.message}); install util-linux or busybox`,
      { cause: done.error },
    );
  }
  if (done.status !== 0 && done.stderr.length > 0) {
    throw new LockError("NO_FLOCK", `flock failed: ${done.stderr.toString().trim()}`);
  }
  return done.status === 0;
}

function held(path: string, holder: string): LockError {
  const who = holder === "" ? "another process" : `process ${holder}`;
  return new LockError(
    "HELD",
    `${path} is locked by ${who}: another swarmd uses this state directory. Stop it first, or give this one its own --state-dir`,
  );
}

/** Only decides whether to wait for orphans: the lock itself does not depend on pids. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** A killed supervisor may wait long for an init process that reaps it; signals still reach it, but it holds nothing. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return false;
  }
}
