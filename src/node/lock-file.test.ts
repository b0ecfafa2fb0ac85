import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { lockStateDirectory } from "./lock-file.js";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lock-"));
  path = join(directory, "lock");
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

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
  const lock = await lockStateDirectory(path);
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  lock.release();
});

test("a second process is refused with the first one's pid", async () => {
  const other = await holder();
  await expect(lockStateDirectory(path)).rejects.toThrow(
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
  const lock = await lockStateDirectory(path, 0);
  lock.release();
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
  const locking = lockStateDirectory(path);
  other.kill("SIGKILL");
  const lock = await locking;
  lock.release();
  parent.kill("SIGKILL");
});

test("a child that inherited the lock keeps it after its parent is gone, until it ends", async () => {
  const first = await lockStateDirectory(path);
  const child = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", "ignore", first.fd] });
  await once(child, "spawn");
  first.release();
  // This very process is named in the file and alive, so nobody waits for orphans here.
  await expect(lockStateDirectory(path, 0)).rejects.toMatchObject({ code: "HELD" });
  child.kill("SIGKILL");
  await once(child, "exit");
  const second = await lockStateDirectory(path, 0);
  second.release();
});
