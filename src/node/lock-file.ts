/**
 * One swarmd per state directory. The lock is the kernel's (flock): it ends with the last process that holds the open file,
 * also after SIGKILL and also across PID and network namespaces, where a pid in a file would mean nothing. Node cannot call
 * flock, but the lock belongs to the open file description: flock(1) of util-linux or busybox takes it on a descriptor it
 * inherits from us, ends, and leaves it with us. The children inherit the descriptor too, so a new supervisor cannot start
 * a second manager on the log of one that has not died yet.
 */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeSync,
} from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

export type LockLimits = {
  /** A holder that lives: it may have been killed and not have ended yet. */
  readonly aliveMs: number;
  /** Children of a killed supervisor end within 1 s of losing it (contracts §4); later they are frozen, or hang, and are killed. */
  readonly killOrphansMs: number;
  /** A killed process ends when its disk has answered, which can take long. */
  readonly orphansMs: number;
};

const LIMITS: LockLimits = { aliveMs: 1_000, killOrphansMs: 3_000, orphansMs: 60_000 };
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

export type LockParts = {
  /** Files of the child programs: who runs one of them and has the lock open is an orphan of a killed supervisor. */
  readonly programs: readonly string[];
  /** Told once, before they are killed. */
  readonly onOrphans: (pids: readonly number[]) => void;
  readonly limits?: LockLimits;
};

/** Rejects with LockError: HELD names who has it. */
export async function lockStateDirectory(path: string, parts: LockParts): Promise<StateLock> {
  const limits = parts.limits ?? LIMITS;
  // "a+" neither truncates the holder's pid nor fails when the file is new.
  const fd = openSync(path, "a+", 0o600);
  try {
    let haveKilled = false;
    const startedAt = performance.now();
    while (!tryLock(fd)) {
      const waitedMs = performance.now() - startedAt;
      const holder = readFileSync(path, "utf8").trim();
      if (holder !== "" && isAlive(Number(holder))) {
        if (waitedMs >= limits.aliveMs) throw held(path, `process ${holder}`);
      } else {
        if (waitedMs >= limits.orphansMs) throw orphaned(path, holdersOf(fd));
        if (waitedMs >= limits.killOrphansMs && !haveKilled) {
          haveKilled = true;
          killOrphans(fd, parts);
        }
      }
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

function held(path: string, who: string): LockError {
  return new LockError(
    "HELD",
    `${path} is locked by ${who}: another swarmd uses this state directory. Stop it first, or give this one its own --state-dir`,
  );
}

function orphaned(path: string, pids: readonly number[]): LockError {
  const who = pids.length === 0 ? "a process that cannot be seen from here" : pids.join(", ");
  return new LockError(
    "HELD",
    `${path} is still locked after the swarmd that held it ended, by ${who}: what it left behind does not end (a disk that does not answer?). End it, or start again when it has ended`,
  );
}

function killOrphans(fd: number, parts: LockParts): void {
  const pids = holdersOf(fd).filter((pid) => runsOneOf(pid, parts.programs));
  if (pids.length === 0) return;
  parts.onOrphans(pids);
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Ended by itself.
    }
  }
}

/** Other processes that have this very file open. */
function holdersOf(fd: number): number[] {
  const { dev, ino } = fstatSync(fd);
  return numbersIn("/proc").filter(
    (pid) =>
      pid !== process.pid &&
      numbersIn(`/proc/${pid}/fd`).some((other) => {
        try {
          const file = statSync(`/proc/${pid}/fd/${other}`);
          return file.ino === ino && file.dev === dev;
        } catch {
          return false; // closed meanwhile
        }
      }),
  );
}

/** The entries that are numbers: processes, or descriptors; none of a process that has ended or is somebody else's. */
function numbersIn(directory: string): number[] {
  try {
    return readdirSync(directory)
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number);
  } catch {
    return [];
  }
}

function runsOneOf(pid: number, programs: readonly string[]): boolean {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return programs.some((program) => args.includes(program));
  } catch {
    return false; // ended meanwhile
  }
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
