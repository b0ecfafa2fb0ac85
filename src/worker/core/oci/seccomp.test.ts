import { describe, expect, test } from "vitest";
import { DEFAULT_CAPABILITIES } from "./capabilities.js";
import { parseSeccompProfile, resolveSeccomp, type SeccompFacts } from "./seccomp.js";
import { DEFAULT_SECCOMP_PROFILE } from "./seccomp-default.js";

const FACTS: SeccompFacts = {
  architecture: "amd64",
  kernel: { major: 6, minor: 1 },
  capabilities: DEFAULT_CAPABILITIES,
};

function resolve(change: Partial<SeccompFacts> = {}) {
  const filter = resolveSeccomp(DEFAULT_SECCOMP_PROFILE, { ...FACTS, ...change });
  return {
    filter,
    /** The rules for one call. */
    rules: (name: string) => filter.syscalls.filter(({ names }) => names.includes(name)),
  };
}

describe("the default profile", () => {
  test.each(["read", "futex", "openat2", "clock_nanosleep_time64", "rseq", "faccessat2", "chroot"])(
    "allows %s without conditions",
    (name) => {
      const [rule, ...more] = resolve().rules(name);
      expect(rule).toMatchObject({ action: "SCMP_ACT_ALLOW" });
      expect(rule?.args).toBeUndefined();
      expect(more).toEqual([]);
    },
  );

  test.each([
    "mount",
    "unshare",
    "setns",
    "bpf",
    "reboot",
    "init_module",
    "keyctl",
    "io_uring_setup",
    "userfaultfd",
  ])("does not allow %s", (name) => {
    expect(resolve().rules(name)).toEqual([]);
  });

  test("clone may not make namespaces, and clone3 says ENOSYS so that libc falls back", () => {
    const { rules } = resolve();
    expect(rules("clone")).toEqual([
      {
        names: ["clone"],
        action: "SCMP_ACT_ALLOW",
        args: [{ index: 0, value: 0x7e020000, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
      },
    ]);
    expect(rules("clone3")).toMatchObject([{ action: "SCMP_ACT_ERRNO", errnoRet: 38 }]);
  });

  test("an administrator may clone and mount freely", () => {
    const { rules } = resolve({ capabilities: ["CAP_SYS_ADMIN"] });
    for (const name of ["clone", "clone3", "mount"]) {
      expect(rules(name)).toHaveLength(1);
      expect(rules(name)[0]?.args).toBeUndefined();
    }
  });

  test("sockets of every family but vsock", () => {
    expect(resolve().rules("socket")).toMatchObject([
      { args: [{ index: 0, value: 40, op: "SCMP_CMP_NE" }] },
    ]);
  });

  test("five personalities", () => {
    expect(
      resolve()
        .rules("personality")
        .map(({ args }) => args?.[0]?.value),
    ).toEqual([0, 8, 0x20000, 0x20008, 0xffffffff]);
  });

  test.each([
    { name: "amd64", has: "arch_prctl", hasNot: "set_tls", first: "SCMP_ARCH_X86_64", count: 3 },
    { name: "arm64", has: "set_tls", hasNot: "arch_prctl", first: "SCMP_ARCH_AARCH64", count: 2 },
  ])("on $name", ({ name, has, hasNot, first, count }) => {
    const { rules, filter } = resolve({ architecture: name });
    expect(rules(has)).toHaveLength(1);
    expect(rules(hasNot)).toEqual([]);
    expect(filter.architectures?.[0]).toBe(first);
    expect(filter.architectures).toHaveLength(count);
  });

  test("ptrace needs a kernel of 4.8 or the capability", () => {
    expect(resolve({ kernel: { major: 4, minor: 7 } }).rules("ptrace")).toEqual([]);
    expect(resolve({ kernel: { major: 4, minor: 8 } }).rules("ptrace")).toHaveLength(1);
    const old = { kernel: { major: 4, minor: 7 }, capabilities: ["CAP_SYS_PTRACE"] };
    expect(resolve(old).rules("ptrace")).toHaveLength(1);
  });
});

describe("custom profiles", () => {
  const encode = (profile: unknown): string =>
    Buffer.from(JSON.stringify(profile)).toString("base64");

  test("both spellings of names, arguments and conditions are read", () => {
    const profile = parseSeccompProfile(
      encode({
        defaultAction: "SCMP_ACT_ERRNO",
        defaultErrnoRet: 1,
        syscalls: [
          { name: "read", action: "SCMP_ACT_ALLOW" },
          {
            names: ["personality"],
            action: "SCMP_ACT_ALLOW",
            args: [{ index: 0, value: 4294967295, op: "SCMP_CMP_EQ" }],
          },
          { names: ["mount"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_SYS_ADMIN"] } },
          { names: ["write"], action: "SCMP_ACT_ALLOW", excludes: { arches: ["amd64"] } },
        ],
      }),
    );
    const { syscalls, defaultErrnoRet } = resolveSeccomp(profile, FACTS);
    expect(syscalls.map(({ names }) => names[0])).toEqual(["read", "personality"]);
    expect(syscalls[1]?.args).toEqual([{ index: 0, value: 4294967295, op: "SCMP_CMP_EQ" }]);
    expect(defaultErrnoRet).toBe(1);
  });

  test.each([
    { name: "an empty profile", text: "", want: "needs a profile" },
    { name: "what is not base64", text: "%%%", want: "not base64" },
    { name: "what is not JSON", text: Buffer.from("x").toString("base64"), want: "not base64 of" },
    { name: "a list", text: encode([]), want: "must be a JSON object" },
    { name: "no default action", text: encode({}), want: "defaultAction" },
    {
      name: "a rule without names",
      text: encode({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ action: "SCMP_ACT_LOG" }] }),
      want: "syscalls[0] names no call",
    },
    {
      name: "a rule without action",
      text: encode({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["x"] }] }),
      want: "syscalls[0].action",
    },
  ])("refuses $name", ({ text, want }) => {
    expect(() => parseSeccompProfile(text)).toThrow(want);
  });
});
