/**
 * The kernel's programs that crun made of seccomp profiles, handed to the next container with the same profile. Translating the default
 * profile takes crun half of what it needs to create a container (12 of 23 ms), and builds without a cache of their own (Debian's 1.8.1)
 * do it each time. crun takes the program itself as an annotation (crun(1), run.oci.seccomp_bpf_data); the profile stays in the spec, for
 * people and for programs that do not know the annotation.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeSpec, type LinuxSeccomp } from "../../core/oci/index.js";

const ANNOTATION = "run.oci.seccomp_bpf_data";
/** Where containerd's shim has the runtime keep its containers. */
const RUNTIME_ROOT = "/run/containerd/runc";
/** The default profile, and what services bring along or change by their capabilities. */
const PROGRAMS_MAX = 16;
/** BPF_MAXINSNS instructions of 8 bytes (linux/bpf_common.h). */
const PROGRAM_BYTES_MAX = 4096 * 8;
const INSTRUCTION_BYTES = 8;
/** Every program for several architectures begins by loading the one of the call: BPF_LD | BPF_W | BPF_ABS at seccomp_data.arch (seccomp(2)). */
const LOAD_ARCHITECTURE = Buffer.from([0x20, 0, 0, 0, 4, 0, 0, 0]);

export class SeccompPrograms {
  readonly #root: string;
  /** By the profile's text, oldest first; base64. */
  readonly #programs = new Map<string, string>();
  /** This runtime keeps no such file, or has a cache itself. */
  #isUseless = false;

  /** `namespace` is containerd's. */
  constructor(namespace: string, runtimeRoot: string = RUNTIME_ROOT) {
    this.#root = join(runtimeRoot, namespace);
  }

  /** Annotations for a container with this profile: none as long as its program is not known. */
  annotations(profile: LinuxSeccomp | undefined): Readonly<Record<string, string>> {
    const program = profile && this.#programs.get(encodeSpec(profile));
    return program === undefined ? {} : { [ANNOTATION]: program };
  }

  /** To be called when crun has made a container with this profile. What cannot be learned is done without. */
  async learn(id: string, profile: LinuxSeccomp | undefined): Promise<void> {
    if (profile === undefined || this.#isUseless) return;
    const key = encodeSpec(profile);
    if (this.#programs.has(key)) return;
    if (existsSync(join(this.#root, ".cache", "seccomp"))) {
      this.#isUseless = true;
      return;
    }
    const program = await readFile(join(this.#root, id, "seccomp.bpf")).catch(() => undefined);
    if (program === undefined || !isProgram(program)) {
      this.#isUseless = true;
      return;
    }
    this.#programs.set(key, program.toString("base64"));
    const oldest = this.#programs.keys().next().value;
    if (this.#programs.size > PROGRAMS_MAX && oldest !== undefined) this.#programs.delete(oldest);
  }
}

function isProgram(bytes: Buffer): boolean {
  const head = bytes.subarray(0, LOAD_ARCHITECTURE.length);
  return (
    bytes.length <= PROGRAM_BYTES_MAX &&
    bytes.length % INSTRUCTION_BYTES === 0 &&
    head.equals(LOAD_ARCHITECTURE)
  );
}
