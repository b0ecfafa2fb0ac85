// Installs only the programs that are absent, upgrades and removes nothing, and lets no service start.
import { accessSync, chmodSync, constants, existsSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run, SetupError, step } from "./run.mjs";

const BINARIES = [
  ["containerd", "containerd"],
  ["runc", "runc"],
  ["crun", "crun"],
  ["nft", "nftables"],
  ["ip", "iproute2"],
  ["conntrack", "conntrack"],
  ["busybox", "busybox-static"],
];
/** What tests need besides. */
export const TEST_BINARIES = [
  ["redis-server", "redis-server"],
  ["wg", "wireguard-tools"],
  ["wireguard-go", "wireguard-go"],
];
const POLICY = "/usr/sbin/policy-rc.d";

export function missingPackages(more = []) {
  const dirs = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  const has = (binary) =>
    dirs.some((dir) => {
      try {
        accessSync(join(dir, binary), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  return [...BINARIES, ...more].filter(([binary]) => !has(binary)).map(([, name]) => name);
}

export async function installPackages(more = []) {
  const missing = missingPackages(more);
  if (missing.length === 0) return;
  if (!existsSync("/usr/bin/apt-get")) {
    throw new SetupError(
      `Missing: ${missing.join(", ")}. Install them with this system's package manager, then run this again.`,
    );
  }
  const keepsOwnPolicy = existsSync(POLICY);
  if (!keepsOwnPolicy) {
    writeFileSync(POLICY, "#!/bin/sh\nexit 101\n");
    chmodSync(POLICY, 0o755);
  }
  const install = [
    "install",
    "-y",
    "--no-remove",
    "--no-upgrade",
    "--no-install-recommends",
    ...missing,
  ];
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    await step(`installing ${missing.join(", ")}`, async () => {
      // A stale package list is the usual reason for a first failure.
      await run("apt-get", install, { env }).catch(async () => {
        await run("apt-get", ["update"], { env });
        await run("apt-get", install, { env });
      });
    });
  } catch (error) {
    const conflict = /conflict|--no-remove|Remv|remove but|broken packages/i.test(error.message);
    throw conflict
      ? new SetupError(
          `${missing.join(", ")} conflict with packages of this system (Docker's containerd.io, for example); nothing was changed: install a matching containerd yourself, then run this again.`,
        )
      : error;
  } finally {
    if (!keepsOwnPolicy) rmSync(POLICY, { force: true });
  }
}
