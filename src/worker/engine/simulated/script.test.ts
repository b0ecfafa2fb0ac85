import { describe, expect, test } from "vitest";
import { compile } from "./script.js";

const sh = (script: string) => compile(["sh", "-c", script])?.instructions;

describe("compile", () => {
  test.each([
    { script: "exit 3", want: [{ kind: "exit", code: 3 }] },
    { script: "exit 300", want: [{ kind: "exit", code: 44 }] },
    { script: "false", want: [{ kind: "exit", code: 1 }] },
    { script: "id; true", want: [] },
    { script: "echo 'a; b' >&2", want: [{ kind: "print", stream: "stderr", text: "a; b\n" }] },
    {
      script: "sleep 0.5 && exit 1",
      want: [
        { kind: "sleep", ms: 500 },
        { kind: "exit", code: 1 },
      ],
    },
    { script: "sleep 2m", want: [{ kind: "sleep", ms: 120_000 }] },
    { script: "trap '' TERM", want: [{ kind: "trap", signals: ["TERM"], exitCode: undefined }] },
    {
      script: "trap 'exit 4' SIGTERM INT",
      want: [{ kind: "trap", signals: ["TERM", "INT"], exitCode: 4 }],
    },
    {
      script: "while true; do echo x; sleep 1; done",
      want: [
        { kind: "print", stream: "stdout", text: "x\n" },
        { kind: "sleep", ms: 1000 },
        { kind: "jump", to: 0 },
      ],
    },
    { script: "head -c 100m /dev/zero | tail", want: [{ kind: "exhaust" }] },
    { script: "exec nginx -g 'daemon off;'", want: [{ kind: "serve" }] },
  ])("$script", ({ script, want }) => {
    expect(sh(script)).toEqual(want);
  });

  test("a server ends with 0 on a signal, a script with 128 + signal", () => {
    expect(compile(["nginx"])).toEqual({ instructions: [{ kind: "serve" }], codeOnSignal: 0 });
    expect(compile(["sleep", "9"])?.codeOnSignal).toBeUndefined();
  });

  test("a program that is not in the image", () => {
    expect(compile(["missing-command"])).toBeUndefined();
  });
});
