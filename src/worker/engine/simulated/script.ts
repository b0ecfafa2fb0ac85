/**
 * The commands a simulated container understands, compiled to a flat program. Everything unknown is a server: it runs until
 * a signal ends it. The same scripts do the same in a real shell, so that one conformance suite serves both engines.
 */
export type Instruction =
  | { readonly kind: "print"; readonly stream: "stdout" | "stderr"; readonly text: string }
  | { readonly kind: "sleep"; readonly ms: number }
  | { readonly kind: "exit"; readonly code: number }
  | {
      readonly kind: "trap";
      readonly signals: readonly string[];
      /** undefined: the signal is ignored. */
      readonly exitCode: number | undefined;
    }
  /** Takes more memory than any limit. Without a limit it does nothing. */
  | { readonly kind: "exhaust" }
  /** Unknown programs run for ever. */
  | { readonly kind: "serve" }
  | { readonly kind: "jump"; readonly to: number };

export type Program = {
  readonly instructions: readonly Instruction[];
  /** Exit code when a terminating signal arrives that no trap names; undefined: 128 + signal, as for a shell. */
  readonly codeOnSignal: number | undefined;
};

/** Commands that end at once without an effect worth simulating. */
const INSTANT = new Set([
  "cat",
  "cd",
  "date",
  "env",
  "export",
  "hostname",
  "id",
  "ls",
  "mkdir",
  "pwd",
  "set",
  "sync",
  "test",
  "touch",
  "true",
  "uname",
  ":",
]);
const SHELLS = new Set(["sh", "bash", "ash", "/bin/sh", "/bin/bash", "/bin/ash"]);
const MISSING = "missing-command";

/** undefined: the program does not exist in the image. */
export function compile(words: readonly string[]): Program | undefined {
  const [program = "", flag, script] = words;
  if (program === MISSING) return undefined;
  if (SHELLS.has(program) && flag?.startsWith("-") === true && flag.includes("c")) {
    const instructions: Instruction[] = [];
    compileScript(tokenize(script ?? ""), instructions);
    return { instructions, codeOnSignal: instructions.some(isServe) ? 0 : undefined };
  }
  if (SHELLS.has(program) && words.length === 1) {
    // An interactive shell without input ends at once.
    return { instructions: [], codeOnSignal: undefined };
  }
  const instruction = compileCommand(words);
  return {
    instructions: instruction === undefined ? [] : [instruction],
    codeOnSignal: instruction?.kind === "serve" ? 0 : undefined,
  };
}

function isServe(instruction: Instruction): boolean {
  return instruction.kind === "serve";
}

/** Splits at `;`, newlines and `&&`, outside of quotes. */
function tokenize(script: string): readonly string[] {
  const parts = script.match(/(?:'[^']*'|"[^"]*"|(?!&&)[^;\n'"])+/g) ?? [];
  // The second half of an `&&` begins the next part.
  return parts.map((part) => part.replace(/^&/, "").trim()).filter((part) => part !== "");
}

function compileScript(statements: readonly string[], out: Instruction[]): void {
  const loops: number[] = [];
  for (const raw of statements) {
    const text = raw.replace(/^do\s+/, "");
    if (/^while\s+(?:true|:)$/.test(text)) {
      loops.push(out.length);
    } else if (text === "done") {
      out.push({ kind: "jump", to: loops.pop() ?? 0 });
    } else {
      const instruction = compileCommand(splitWords(text), text);
      if (instruction !== undefined) out.push(instruction);
    }
  }
}

function compileCommand(
  words: readonly string[],
  text: string = words.join(" "),
): Instruction | undefined {
  const [command = "", ...args] = words[0] === "exec" ? words.slice(1) : words;
  if (text.includes("/dev/zero")) return { kind: "exhaust" };
  switch (command) {
    case "":
      return undefined;
    case "echo": {
      const toError = args.at(-1) === ">&2" || args.at(-1) === "1>&2";
      const shown = toError ? args.slice(0, -1) : args;
      return {
        kind: "print",
        stream: toError ? "stderr" : "stdout",
        text: `${shown.join(" ")}\n`,
      };
    }
    case "sleep":
      return { kind: "sleep", ms: parseDuration(args[0] ?? "0") };
    case "exit":
      return { kind: "exit", code: Number(args[0] ?? 0) & 0xff };
    case "false":
      return { kind: "exit", code: 1 };
    case "trap":
      return compileTrap(args);
    default:
      return INSTANT.has(command) ? undefined : { kind: "serve" };
  }
}

function compileTrap(args: readonly string[]): Instruction {
  const [action = "", ...signals] = args;
  const code = /^exit(?:\s+(\d+))?$/.exec(action);
  return {
    kind: "trap",
    signals: signals.map((name) => name.replace(/^SIG/, "")),
    exitCode: code === null ? undefined : Number(code[1] ?? 0),
  };
}

function splitWords(text: string): readonly string[] {
  return [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? "",
  );
}

/** `0.5`, `10`, `10s`, `2m`, `infinity`. */
function parseDuration(text: string): number {
  if (text === "infinity") return Number.POSITIVE_INFINITY;
  const match = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(text);
  const unit = { "": 1000, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? ""] ?? 1000;
  return Number(match?.[1] ?? 0) * unit;
}
