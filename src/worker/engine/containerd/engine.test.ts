import { expect, test } from "vitest";
import { SeededRandom, SystemClock, silentLogger } from "../../../base/index.js";
import { createContainerdEngine } from "./engine.js";

test.each([
  { runtime: "auto", known: "" },
  { runtime: "runc", known: "runc" },
  { runtime: "crun", known: "crun" },
] as const)("before it was opened, $runtime is known as '$known'", async ({ runtime, known }) => {
  await using engine = createContainerdEngine({
    address: "/nowhere/containerd.sock",
    namespace: "swarm",
    cgroupParent: "swarm",
    snapshotter: "overlayfs",
    runtime,
    clock: new SystemClock(),
    random: new SeededRandom(1),
    logger: silentLogger,
  });
  expect((await engine.info()).runtime).toBe(known);
});
