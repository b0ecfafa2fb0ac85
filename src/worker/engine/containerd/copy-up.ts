/** What a new volume starts with: the image's files at its mount point, copied once and whole, whatever gets interrupted. */
import { execFile } from "node:child_process";
import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { SpecError } from "../../core/oci/index.js";
import { EngineError } from "../port.js";

const run = promisify(execFile);

export type CopyUpLimits = {
  /** Disk taken by the image's directory. */
  readonly bytesMax: number;
  /** Files, directories and links in it. */
  readonly entriesMax: number;
};

export const COPY_UP_LIMITS: CopyUpLimits = { bytesMax: 10 * 2 ** 30, entriesMax: 1_000_000 };
const COMMAND_TIMEOUT_MS = 10 * 60_000;

/** Takes an interrupted copy to its end. Then true if `target` is empty, which is when it is filled. */
export async function isToBeFilled(target: string): Promise<boolean> {
  if (await exists(copiedOf(target))) await moveIn(target);
  return (await readdir(target)).length === 0;
}

/**
 * Copies the contents of `source` into the empty directory `target`, and owner, mode and time of `source` itself. They are copied
 * beside the target and moved in when complete, so that a copy cut off is never taken for a volume in use. Not to be called twice
 * at once for one target. Rejects SpecError beyond the limits, EngineError (NO_SPACE, FAILED), or the signal's reason.
 */
export async function copyUp(
  source: string,
  target: string,
  signal: AbortSignal,
  limits: CopyUpLimits = COPY_UP_LIMITS,
): Promise<void> {
  const copying = `${target}.copying`;
  await rm(copying, { recursive: true, force: true });
  const [bytes, entries] = [await measure(source, "-B1"), await measure(source, "--inodes")];
  if (bytes > limits.bytesMax || entries > limits.entriesMax)
    throw new SpecError(
      `the image's files are too many for a new volume: ${bytes} bytes in ${entries} files, at most ${limits.bytesMax} in ${limits.entriesMax}; set VolumeOptions.NoCopy`,
    );
  await mkdir(copying, { mode: 0o700 });
  await command("cp", ["-a", "-T", "--", source, copying], signal);
  await rename(copying, copiedOf(target));
  await moveIn(target);
}

const copiedOf = (target: string): string => `${target}.copied`;

/** The directory stays the same one: a container that has the volume without a copy keeps seeing it. */
async function moveIn(target: string): Promise<void> {
  const copied = copiedOf(target);
  const there = new Set(await readdir(target));
  for (const name of await readdir(copied)) {
    const from = join(copied, name);
    if (there.has(name)) await rm(from, { recursive: true, force: true });
    else await rename(from, join(target, name));
  }
  // Empty by now: owner, mode, times and extended attributes of the directory itself.
  await command("cp", ["-a", "-T", "--", copied, target]);
  await rmdir(copied);
}

async function measure(path: string, unit: "-B1" | "--inodes"): Promise<number> {
  return Number.parseInt(await command("du", ["-s", unit, "--", path]), 10);
}

async function command(
  program: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  try {
    const options = { timeout: COMMAND_TIMEOUT_MS, ...(signal === undefined ? {} : { signal }) };
    return (await run(program, args, options)).stdout;
  } catch (cause) {
    signal?.throwIfAborted();
    const text = cause instanceof Error ? cause.message : String(cause);
    const code = /no space left|quota exceeded/i.test(text) ? "NO_SPACE" : "FAILED";
    throw new EngineError(code, `a new volume cannot be filled: ${text}`, { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  return readdir(path).then(
    () => true,
    () => false,
  );
}
