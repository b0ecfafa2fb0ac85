/** Turns a profile in Docker's JSON format into the filter of one container: by architecture, kernel and capabilities. */
import { type LinuxSeccomp, type SeccompArg, type SeccompRule, SpecError } from "./types.js";

type Condition = {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  /** `major.minor` */
  readonly minKernel?: string;
};

type ProfileRule = {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArg[];
  /** All must hold. */
  readonly includes?: Condition;
  /** None may hold. */
  readonly excludes?: Condition;
};

export type SeccompProfile = {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  /** Explicit list; without it the node's architecture and those it can run beside it. */
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  readonly syscalls: readonly ProfileRule[];
};

export type SeccompFacts = {
  readonly architecture: string;
  readonly kernel: { readonly major: number; readonly minor: number };
  readonly capabilities: readonly string[];
};

/** Native first, then what the same kernel also runs: a filter that forgets them kills 32-bit programs. */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  amd64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
  s390x: ["SCMP_ARCH_S390X", "SCMP_ARCH_S390"],
  ppc64le: ["SCMP_ARCH_PPC64LE"],
  riscv64: ["SCMP_ARCH_RISCV64"],
};

const PROFILE_BYTES_MAX = 512 * 1024;

export function resolveSeccomp(profile: SeccompProfile, facts: SeccompFacts): LinuxSeccomp {
  const architectures = profile.architectures ?? ARCHITECTURES[facts.architecture];
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures === undefined ? {} : { architectures }),
    ...(profile.flags === undefined ? {} : { flags: profile.flags }),
    syscalls: profile.syscalls.filter((rule) => applies(rule, facts)).map(toRule),
  };
}

function applies(rule: ProfileRule, facts: SeccompFacts): boolean {
  const { includes, excludes } = rule;
  if (includes?.arches?.length && !includes.arches.includes(facts.architecture)) return false;
  if (includes?.caps?.some((cap) => !facts.capabilities.includes(cap)) === true) return false;
  if (includes?.minKernel !== undefined && !isKernelAtLeast(facts, includes.minKernel))
    return false;
  if (excludes?.arches?.includes(facts.architecture) === true) return false;
  if (excludes?.caps?.some((cap) => facts.capabilities.includes(cap)) === true) return false;
  return excludes?.minKernel === undefined || !isKernelAtLeast(facts, excludes.minKernel);
}

function isKernelAtLeast({ kernel }: SeccompFacts, text: string): boolean {
  const [major = 0, minor = 0] = text.split(".").map(Number);
  return kernel.major > major || (kernel.major === major && kernel.minor >= minor);
}

function toRule({ names, action, errnoRet, args }: ProfileRule): SeccompRule {
  return {
    names,
    action,
    ...(errnoRet === undefined ? {} : { errnoRet }),
    ...(args === undefined || args.length === 0 ? {} : { args }),
  };
}

/** Reads a custom profile: base64 (as the Engine API sends it) of Docker's profile JSON. */
export function parseSeccompProfile(base64: string): SeccompProfile {
  const fail = (why: string): never => {
    throw new SpecError(`ContainerSpec.Privileges.Seccomp.Profile: ${why}`);
  };
  if (base64 === "") fail("mode custom needs a profile");
  if (base64.length > PROFILE_BYTES_MAX) fail(`larger than ${PROFILE_BYTES_MAX} bytes`);
  let raw: unknown;
  try {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    raw = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new SpecError(
      `ContainerSpec.Privileges.Seccomp.Profile: not base64 of a JSON profile: ${String(error)}`,
    );
  }
  const profile = record(raw) ?? fail("must be a JSON object");
  const defaultAction = profile["defaultAction"];
  if (typeof defaultAction !== "string" || !defaultAction.startsWith("SCMP_ACT_"))
    return fail("defaultAction must be an SCMP_ACT_… name");
  const errno = profile["defaultErrnoRet"];
  const architectures = strings(profile["architectures"]);
  const flags = strings(profile["flags"]);
  return {
    defaultAction,
    ...(typeof errno === "number" ? { defaultErrnoRet: errno } : {}),
    ...(architectures.length > 0 ? { architectures } : {}),
    ...(flags.length > 0 ? { flags } : {}),
    syscalls: list(profile["syscalls"]).map((rule, index) => parseRule(rule, index, fail)),
  };
}

function parseRule(raw: unknown, index: number, fail: (why: string) => never): ProfileRule {
  const rule = record(raw) ?? fail(`syscalls[${index}] must be an object`);
  const name = rule["name"];
  const names = typeof name === "string" ? [name] : strings(rule["names"]);
  const action = rule["action"];
  if (names.length === 0) return fail(`syscalls[${index}] names no call`);
  if (typeof action !== "string" || !action.startsWith("SCMP_ACT_"))
    return fail(`syscalls[${index}].action must be an SCMP_ACT_… name`);
  const errno = rule["errnoRet"];
  const includes = parseCondition(rule["includes"]);
  const excludes = parseCondition(rule["excludes"]);
  return {
    names,
    action,
    ...(typeof errno === "number" ? { errnoRet: errno } : {}),
    args: list(rule["args"]).map((arg) => parseArg(arg, index, fail)),
    ...(includes === undefined ? {} : { includes }),
    ...(excludes === undefined ? {} : { excludes }),
  };
}

function parseArg(raw: unknown, rule: number, fail: (why: string) => never): SeccompArg {
  const arg = record(raw);
  const [index, value, two, op] = [arg?.["index"], arg?.["value"], arg?.["valueTwo"], arg?.["op"]];
  if (typeof index !== "number" || typeof value !== "number" || typeof op !== "string")
    return fail(`syscalls[${rule}].args need index, value and op`);
  return { index, value, ...(typeof two === "number" ? { valueTwo: two } : {}), op };
}

function parseCondition(raw: unknown): Condition | undefined {
  const condition = record(raw);
  if (condition === undefined) return undefined;
  const minKernel = condition["minKernel"];
  return {
    caps: strings(condition["caps"]),
    arches: strings(condition["arches"]),
    ...(typeof minKernel === "string" ? { minKernel } : {}),
  };
}

function record(raw: unknown): Record<string, unknown> | undefined {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw)
    ? Object.fromEntries(Object.entries(raw))
    : undefined;
}

function list(raw: unknown): readonly unknown[] {
  return Array.isArray(raw) ? raw : [];
}

function strings(raw: unknown): readonly string[] {
  return list(raw).filter((item) => typeof item === "string");
}
