import { describe, expect, test } from "vitest";
import { fromContainerd } from "./errors.js";
import { RpcError } from "./rpc-error.js";

const OCI = "failed to create shim task: OCI runtime create failed: runc create failed: ";

describe("fromContainerd", () => {
  test.each([
    { code: 14, text: "connect ECONNREFUSED", want: "ENGINE_DOWN" },
    { code: 4, text: "late", want: "ENGINE_DOWN" },
    { code: 5, text: "task x not found: not found", want: "NOT_FOUND" },
    {
      code: 2,
      text: `${OCI}unable to start container process: exec: "nope": executable file not found in $PATH: unknown`,
      want: "INVALID_SPEC",
    },
    {
      code: 2,
      text: `${OCI}exec: "/etc/passwd": permission denied: unknown`,
      want: "INVALID_SPEC",
    },
    {
      code: 2,
      text: `${OCI}error setting rlimit type 7: operation not permitted: unknown`,
      want: "INVALID_SPEC",
    },
    {
      code: 2,
      text: `${OCI}error mounting "/a" to rootfs at "/b": not a directory: unknown`,
      want: "INVALID_SPEC",
    },
    { code: 2, text: "write /var/lib/x: no space left on device: unknown", want: "NO_SPACE" },
    { code: 2, text: "ttrpc: closed: unknown", want: "FAILED" },
    { code: 14, text: 'ref "blob-1" locked for 3s: unavailable', want: "FAILED" },
  ])("$code $text is $want", ({ code, text, want }) => {
    expect(fromContainerd(new RpcError(code, text, "/x"), "/sock")).toMatchObject({ code: want });
  });

  test.each([
    "executable file `nothere` not found in $PATH: No such file or directory",
    "open executable: Permission denied",
    "open executable: Operation not permitted",
    "exec container process `/bin/gar`: Exec format error",
    "setrlimit `RLIMIT_NOFILE`: Operation not permitted",
    "invalid rlimit `RLIMIT_X`",
    "chdir `/busybox`: Not a directory",
    "mount `/tmp` to `busybox`: Not a directory",
    "open /proc/sys/net/nothere: No such file or directory",
    "the sysctl `kernel.pid_max` is not namespaced",
    "OOM: the memory limit could be too low: read from sync socket: Connection reset by peer",
    "writing file `memory.swappiness`: Invalid argument",
    "writing file `cpu.cfs_period_us`: Invalid argument",
    "invalid seccomp action `SCMP_X`",
  ])("crun's %s is INVALID_SPEC, without the shim's prefixes", (text) => {
    const raw = `failed to create shim task: OCI runtime create failed: ${text}: unknown`;
    expect(fromContainerd(new RpcError(2, raw, "/x"), "/sock")).toMatchObject({
      code: "INVALID_SPEC",
      message: text,
    });
  });

  test("runc's prefixes are cut to what a user can read", () => {
    const error = new RpcError(
      2,
      `${OCI}error setting rlimit type 7: operation not permitted: unknown`,
      "/x",
    );
    expect(fromContainerd(error, "/sock")).toMatchObject({
      message: "error setting rlimit type 7: operation not permitted",
    });
  });

  test("an abort keeps the caller's own reason", () => {
    const reason = new Error("stopping");
    expect(fromContainerd(reason, "/sock")).toBe(reason);
  });
});
