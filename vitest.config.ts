import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const alias = { "raft-ts": fileURLToPath(new URL("./src/raft/index.ts", import.meta.url)) };
const exclude = ["**/node_modules/**", "**/dist/**"];

/** Real kernel, real containerd, no cluster: they make what they need themselves, beside anything else. */
const HOST_TESTS = [
  "dns",
  "engine-containerd",
  "netns-kernel",
  "node-network",
  "overlay-plane",
  "overlay-rules",
].map((name) => `test/cluster/${name}.test.ts`);

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/*.test.ts"],
          exclude: [...exclude, "src/**/*.sim.test.ts"],
          pool: "threads",
          // Modules are loaded once for each worker: no test replaces one, and loading them takes longer than the tests.
          isolate: false,
          // Many tests wait for processes, so no core is left out.
          maxWorkers: Math.max(2, availableParallelism()),
          testTimeout: 20_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "sim",
          include: ["src/**/*.sim.test.ts"],
          exclude,
          pool: "forks",
          // Each is one busy core for the time it is given; nothing else runs beside them.
          maxWorkers: 2,
          testTimeout: 150_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "host",
          include: HOST_TESTS,
          exclude,
          pool: "forks",
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          globalSetup: ["test/cluster/global-setup.ts"],
          exclude: [...exclude, ...HOST_TESTS],
          pool: "forks",
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
