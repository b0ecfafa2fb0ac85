import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { lockStateDirectory } from "./lock-file.js";

const LIMITS = { aliveMs: 200, killOrphansMs: 1_000, orphansMs: 20_000 };

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lock-"));
  path = join(directory, "lock");
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function lock(
  onOrphans: (pids: readonly number[]) => void = () => undefined,
  limits = LIMITS,
): ReturnType<typeof lockStateDirectory> {
  return lockStateDirectory(path, { programs: ["our-program.js"], onOrphans, limits });
}

/** Another process that holds the lock as swarmd does, and writes its pid. */
async function holder(): Promise<ReturnType<typeof spawn>> {
  const child = spawn(
    "sh",
    ["-c", `exec 9<>"${path}"; flock -x 9; echo $$ > "${path}"; echo ok; exec sleep 60`],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  await once(child.stdout, "data");
  return child;
}

test("the holder's pid stands in the file", async () => {
  const mine = await lock();
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  mine.release();
});

test("a second process is refused with the first one's pid", async () => {
  const other = await holder();
  await expect(lock()).rejects.toThrow(
    expect.objectContaining({
      code: "HELD",
      message: expect.stringContaining(`process ${other.pid}`),
    }),
  );
  other.kill("SIGKILL");
  await once(other, "exit");
});

test("SIGKILL of the holder frees the lock", async () => {
  const other = await holder();
  other.kill("SIGKILL");
  await once(other, "exit");
  const mine = await lock();
  mine.release();
});

test("a holder that was killed and has not ended yet is waited for", async () => {
  const other = await holder();
  const locking = lock();
  other.kill("SIGKILL");
  (await locking).release();
});

test("frozen children of a killed holder are killed, and nobody else who has the file open", async () => {
  const first = await lock();
  const orphan = spawn(
    process.execPath,
    ["-e", "setTimeout(() => undefined, 60_000)", "our-program.js"],
    { stdio: ["ignore", "ignore", "ignore", first.fd] },
  );
  await once(orphan, "spawn");
  const bystander = spawn("sleep", ["60"], { stdio: ["ignore", openSync(path, "r"), "ignore"] });
  await once(bystander, "spawn");
  orphan.kill("SIGSTOP");
  first.release();
  writeFileSync(path, "");
  const ended = once(orphan, "exit");
  const seen: (readonly number[])[] = [];
  const second = await lock((pids) => seen.push(pids));
  expect(seen).toEqual([[orphan.pid]]);
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect(bystander.exitCode).toBeNull();
  second.release();
  bystander.kill("SIGKILL");
});

test("orphans that cannot be ended are named", async () => {
  const first = await lock();
  const stranger = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", "ignore", first.fd] });
  await once(stranger, "spawn");
  first.release();
  writeFileSync(path, "");
  await expect(lock(undefined, { ...LIMITS, orphansMs: 0 })).rejects.toThrow(
    expect.objectContaining({
      code: "HELD",
      message: expect.stringContaining(`ended, by ${stranger.pid}: `),
    }),
  );
  stranger.kill("SIGKILL");
});

test("a killed holder that nobody reaped is waited for as one that is gone", async () => {
  const other = await holder();
  // `sleep` never reaps the child that its shell left to it.
  const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [zombie] = (await once(parent.stdout, "data")) as [Buffer];
  // Before that the shell itself could reap it.
  await vi.waitFor(() => {
    expect(readFileSync(`/proc/${parent.pid}/comm`, "utf8")).toBe("sleep\n");
  });
  process.kill(Number(zombie), "SIGKILL");
  await vi.waitFor(() => {
    expect(readFileSync(`/proc/${Number(zombie)}/stat`, "utf8")).toMatch(/\) Z /);
  });
  writeFileSync(path, zombie);
  const locking = lock();
  other.kill("SIGKILL");
  const mine = await locking;
  mine.release();
  parent.kill("SIGKILL");
});

test("a child that inherited the lock keeps it after its parent is gone, until it ends", async () => {
  const first = await lock();
  const child = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", "ignore", first.fd] });
  await once(child, "spawn");
  first.release();
  // This very process is named in the file and alive, so nobody waits for orphans here.
  await expect(lock()).rejects.toMatchObject({ code: "HELD" });
  child.kill("SIGKILL");
  await once(child, "exit");
  const second = await lock();
  second.release();
});
