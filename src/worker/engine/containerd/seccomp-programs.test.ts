import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LinuxSeccomp } from "../../core/oci/index.js";
import { SeccompPrograms } from "./seccomp-programs.js";

const LOAD = [0x20, 0, 0, 0, 4, 0, 0, 0];
const PROGRAM = Buffer.from([...LOAD, 6, 0, 0, 0, 0, 0, 0xff, 0x7f]);
const ANNOTATION = "run.oci.seccomp_bpf_data";

let root = "";
let programs: SeccompPrograms;
beforeEach(async () => {
  root = await mkdtemp(`${tmpdir()}/seccomp-`);
  programs = new SeccompPrograms("ns", root);
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

function profile(call: string): LinuxSeccomp {
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [{ names: [call], action: "SCMP_ACT_ALLOW" }],
  };
}

/** As crun leaves it in the container's directory. */
function made(id: string, program: Buffer): void {
  mkdirSync(`${root}/ns/${id}`, { recursive: true });
  writeFileSync(`${root}/ns/${id}/seccomp.bpf`, program);
}

test("what one container's profile came to is handed to the next with an equal one, and to no other", async () => {
  made("one", PROGRAM);
  expect(programs.annotations(profile("read"))).toEqual({});
  await programs.learn("one", profile("read"));
  expect(programs.annotations(profile("read"))).toEqual({
    [ANNOTATION]: PROGRAM.toString("base64"),
  });
  expect(programs.annotations(profile("write"))).toEqual({});
  expect(programs.annotations(undefined)).toEqual({});
});

test.each([
  { what: "no file", program: undefined },
  { what: "a file cut short", program: PROGRAM.subarray(0, 12) },
  { what: "an empty file", program: Buffer.alloc(0) },
  { what: "something else", program: Buffer.from("GARBAGE!GARBAGE!") },
  { what: "too long a program", program: Buffer.concat(Array(2049).fill(PROGRAM)) },
])("$what is done without", async ({ program }) => {
  if (program !== undefined) made("one", program);
  await programs.learn("one", profile("read"));
  expect(programs.annotations(profile("read"))).toEqual({});
});

test("a crun with a cache of its own is left to it", async () => {
  made("one", PROGRAM);
  mkdirSync(`${root}/ns/.cache/seccomp`, { recursive: true });
  await programs.learn("one", profile("read"));
  expect(programs.annotations(profile("read"))).toEqual({});
});

test("only so many are kept, the oldest goes", async () => {
  made("one", PROGRAM);
  for (let i = 0; i <= 16; i++) await programs.learn("one", profile(`call${i}`));
  expect(programs.annotations(profile("call0"))).toEqual({});
  expect(programs.annotations(profile("call1"))).not.toEqual({});
  expect(programs.annotations(profile("call16"))).not.toEqual({});
});
