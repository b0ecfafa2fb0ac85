/** The parts of the OCI runtime spec (config.json) that we write, and what the builder must be told about the host. */

/** A spec that cannot run on this node: no retry helps. The message names the field and the remedy. */
export class SpecError extends Error {
  override readonly name = "SpecError";
}

/** Facts about this node, gathered once by the shell. */
export type HostFacts = {
  /** Go's name, as images use it: amd64, arm64… */
  readonly architecture: string;
  readonly kernel: { readonly major: number; readonly minor: number };
  readonly cgroupVersion: 1 | 2;
  /** v1: memory.memsw.* exists. v2: memory.swap.max exists. */
  readonly hasSwapAccounting: boolean;
  /** /proc/sys/kernel/cap_last_cap: runc refuses capabilities the kernel does not know. */
  readonly lastCapability: number;
  /** Program to run as pid 1 when the service asks for an init; undefined if the node has none. */
  readonly initPath: string | undefined;
  /** Profile to confine containers with; undefined where AppArmor is off. */
  readonly appArmor: { readonly profile: string | undefined } | undefined;
};

export type ResolvedUser = {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
};

export type OciMount = {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
};

export type Rlimit = {
  readonly type: string;
  readonly soft: number | bigint;
  readonly hard: number | bigint;
};

export type SeccompArg = {
  readonly index: number;
  readonly value: number | bigint;
  readonly valueTwo?: number | bigint;
  readonly op: string;
};

export type SeccompRule = {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArg[];
};

export type LinuxSeccomp = {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  readonly syscalls: readonly SeccompRule[];
};

export type DeviceRule = {
  readonly allow: boolean;
  readonly type?: "c" | "b" | "a";
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
};

export type LinuxResources = {
  readonly devices: readonly DeviceRule[];
  readonly memory?: {
    readonly limit?: number;
    readonly swap?: number;
    readonly swappiness?: number;
  };
  readonly cpu?: { readonly quota: number; readonly period: number };
  readonly pids?: { readonly limit: number };
};

export type OciProcess = {
  readonly terminal: boolean;
  readonly user: ResolvedUser;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: {
    readonly bounding: readonly string[];
    readonly effective: readonly string[];
    readonly permitted: readonly string[];
    readonly inheritable: readonly string[];
    readonly ambient: readonly string[];
  };
  readonly rlimits: readonly Rlimit[];
  readonly noNewPrivileges: boolean;
  readonly oomScoreAdj: number;
  readonly apparmorProfile?: string;
};

export type OciSpec = {
  readonly ociVersion: string;
  readonly process: OciProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname: string;
  readonly mounts: readonly OciMount[];
  readonly linux: {
    readonly namespaces: readonly { readonly type: string; readonly path?: string }[];
    readonly cgroupsPath: string;
    readonly maskedPaths: readonly string[];
    readonly readonlyPaths: readonly string[];
    readonly resources: LinuxResources;
    readonly sysctl: Readonly<Record<string, string>>;
    readonly seccomp?: LinuxSeccomp;
  };
  /** For the runtime's program. */
  readonly annotations?: Readonly<Record<string, string>>;
};
