import { expect, test } from "vitest";
import { silentLogger } from "../../base/index.js";
import { ManualClock } from "../dns/testing/manual-clock.js";
import { KernelError } from "../kernel/netns-kernel.js";
import { findWireGuard, LOOK_AGAIN_MS, type WireGuard, WireGuardProbe } from "./wireguard-probe.js";

/** A host with these programs, whose kernel says this of a WireGuard interface; "" = it makes one. */
function host(programs: readonly string[], kernelSays: string) {
  return async ([program = "", ...args]: readonly string[]) => {
    if (program === "sh") return reply(programs.includes("wireguard-go"), "");
    if (program === "unshare") return reply(kernelSays === "", kernelSays);
    if (!programs.includes(program)) throw new KernelError("MISSING", `no ${program}`);
    return reply(true, args.join(" "));
  };
}

function reply(isOk: boolean, err: string) {
  return { isOk, err, out: "" };
}

const UNKNOWN = "Error: Unknown device type.";

test.each<{ name: string; programs: string[]; says: string; found: WireGuard | undefined }>([
  { name: "the kernel's", programs: ["wg"], says: "", found: "kernel" },
  {
    name: "the kernel's before wireguard-go",
    programs: ["wg", "wireguard-go"],
    says: "",
    found: "kernel",
  },
  { name: "wireguard-go", programs: ["wg", "wireguard-go"], says: UNKNOWN, found: "wireguard-go" },
  { name: "nothing where only the tool is", programs: ["wg"], says: UNKNOWN, found: "none" },
  { name: "nothing without the tool", programs: ["wireguard-go"], says: "", found: "none" },
  {
    name: "no answer where the kernel cannot be asked",
    programs: ["wg"],
    says: "Operation not permitted",
    found: undefined,
  },
])("finds $name", async ({ programs, says, found }) => {
  expect(await findWireGuard(host(programs, says))).toBe(found);
});

test("nobody waits for the look; where there was none it is taken again after a while, else never", async () => {
  const clock = new ManualClock();
  const says: (WireGuard | undefined)[] = [undefined, "none", "wireguard-go", "none"];
  const find = () => Promise.resolve(says.shift());
  const probe = new WireGuardProbe({ clock, logger: silentLogger, find });
  const seen = async () => {
    expect(probe.found).toBe(probe.found);
    await clock.pass(LOOK_AGAIN_MS);
    return probe.found;
  };
  expect(probe.found).toBeUndefined();
  expect(await seen()).toBeUndefined();
  expect(await seen()).toBe("none");
  expect(await seen()).toBe("wireguard-go");
  expect(await seen()).toBe("wireguard-go");
  expect(says).toEqual(["none"]);
});

test("a look that fails leaves what was known, and is taken again", async () => {
  const clock = new ManualClock();
  const outcomes = ["none" as const, new Error("stuck"), "kernel" as const];
  const find = (): Promise<WireGuard> => {
    const next = outcomes.shift();
    return next instanceof Error || next === undefined
      ? Promise.reject(next)
      : Promise.resolve(next);
  };
  const probe = new WireGuardProbe({ clock, logger: silentLogger, find });
  expect(probe.found).toBeUndefined();
  await clock.pass(LOOK_AGAIN_MS);
  expect(probe.found).toBe("none");
  await clock.pass(LOOK_AGAIN_MS);
  expect(probe.found).toBe("none");
  await clock.pass(0);
  expect(probe.found).toBe("kernel");
});
