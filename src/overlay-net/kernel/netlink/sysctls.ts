import { readFileSync, writeFileSync } from "node:fs";
import type { Sysctl } from "../../core/kernel-model.js";
import { KernelError, sysctlPath, sysctlValue } from "../netns-kernel.js";
import type { Namespaces } from "./namespaces.js";

/** Keys set by this kernel port since it was opened, per namespace: those are the ones that `observe` reads. */
export class Sysctls {
  readonly #namespaces: Namespaces;
  readonly #keys = new Map<string, Set<string>>();

  constructor(namespaces: Namespaces) {
    this.#namespaces = namespaces;
  }

  /** Throws KernelError NOT_FOUND or INVALID. */
  set(netns: string, { key, value }: Sysctl): void {
    const path = sysctlPath(key);
    if (path === undefined)
      throw new KernelError(
        "INVALID",
        `"${key}" is no key below net/: others belong to no namespace`,
      );
    this.#namespaces.inside(netns, () => {
      try {
        writeFileSync(path, value, { flag: "r+" });
      } catch (error) {
        throw sysctlError(error);
      }
    });
    const keys = this.#keys.get(netns) ?? new Set();
    this.#keys.set(netns, keys.add(key));
  }

  /** A key that went with its link is forgotten. */
  read(netns: string): readonly Sysctl[] {
    const keys = this.#keys.get(netns);
    if (keys === undefined) return [];
    return this.#namespaces.inside(netns, () =>
      [...keys].flatMap((key) => {
        try {
          return [{ key, value: sysctlValue(readFileSync(sysctlPath(key) ?? "", "utf8")) }];
        } catch {
          keys.delete(key);
          return [];
        }
      }),
    );
  }

  forget(netns: string): void {
    this.#keys.delete(netns);
  }
}

function sysctlError(cause: unknown): KernelError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT") return new KernelError("NOT_FOUND", "no such key", { cause });
  if (code === "EINVAL")
    return new KernelError("INVALID", "the kernel refuses the value", { cause });
  if (code === "EPERM" || code === "EACCES" || code === "EROFS")
    return new KernelError("NOT_PERMITTED", message, { cause });
  return new KernelError("FAILED", message, { cause });
}
