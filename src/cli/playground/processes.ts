import { type ChildProcess, spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";

/** A process by pid and start time: a reused pid is somebody else's and never signalled. */
export type ProcessRef = { readonly pid: number; readonly startTime: string };

/** Field 22 of /proc/PID/stat; undefined when the process is gone (or only waits to be reaped). */
export function startTimeOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export function isAlive(ref: ProcessRef): boolean {
  return startTimeOf(ref.pid) === ref.startTime;
}

/** Starts a daemon that outlives this command; its output goes to a file. */
export function startDaemon(
  command: string,
  args: readonly string[],
  logFile: string,
  env: NodeJS.ProcessEnv = process.env,
): ProcessRef {
  const log = openSync(logFile, "a", 0o600);
  const child: ChildProcess = spawn(command, args, {
    detached: true,
    stdio: ["ignore", log, log],
    env,
  });
  child.unref();
  const { pid } = child;
  const startTime = pid === undefined ? undefined : startTimeOf(pid);
  if (pid === undefined || startTime === undefined) {
    throw new Error(`${command} did not start; see ${logFile}`);
  }
  return { pid, startTime };
}

function signal(ref: ProcessRef, name: NodeJS.Signals): void {
  if (!isAlive(ref)) return;
  try {
    process.kill(ref.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Polls until `check` gives a value; rejects with `what` after the limit. */
export async function waitFor<T>(
  what: string,
  limitMs: number,
  check: () => Promise<T | undefined> | T | undefined,
  pollMs = 50,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await delay(pollMs);
  }
}

/** SIGTERM, then SIGKILL for what is still there after graceMs. A frozen process is continued first. */
export async function endProcesses(refs: readonly ProcessRef[], graceMs: number): Promise<void> {
  for (const ref of refs) {
    signal(ref, "SIGTERM");
    signal(ref, "SIGCONT");
  }
  const deadline = performance.now() + graceMs;
  while (refs.some(isAlive) && performance.now() < deadline) await delay(50);
  for (const ref of refs) signal(ref, "SIGKILL");
  const killDeadline = performance.now() + 5_000;
  while (refs.some(isAlive) && performance.now() < killDeadline) await delay(20);
}

/** Direct children of a process, with their command lines. */
export async function childrenOf(pid: number): Promise<{ pid: number; command: string }[]> {
  const all = await Promise.all(
    (await readdir("/proc"))
      .filter((entry) => /^\d+$/.test(entry))
      .map(async (entry) => {
        const stat = await readFile(`/proc/${entry}/stat`, "utf8").catch(() => "");
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        if (parent !== pid) return undefined;
        const command = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
        return { pid: Number(entry), command: command.replaceAll("\0", " ").trim() };
      }),
  );
  return all.filter((entry) => entry !== undefined);
}

/** Processes whose command line has all these words. */
export async function findProcesses(words: readonly string[]): Promise<ProcessRef[]> {
  const found: ProcessRef[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    const args = command.split("\0");
    const startTime = words.every((word) => args.includes(word))
      ? startTimeOf(Number(entry))
      : undefined;
    if (startTime !== undefined) found.push({ pid: Number(entry), startTime });
  }
  return found;
}
