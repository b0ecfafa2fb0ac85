// First thing that runs on a fresh machine, so it uses Node built-ins only: packages, dependencies, build, then the real command.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { installPackages, TEST_BINARIES } from "./bootstrap/packages.mjs";
import { buildIfStale, installDependencies } from "./bootstrap/project.mjs";
import { isRoot, run, SetupError } from "./bootstrap/run.mjs";
import { runTests } from "./bootstrap/test.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const [command, ...args] = process.argv.slice(2);
const isSimulated = args.includes("--simulated");

async function main() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 10)) {
    throw new SetupError(`Node ${process.versions.node} is too old: install Node 20.10 or newer.`);
  }
  switch (command) {
    case "up": {
      if (!isSimulated && !isRoot()) {
        throw new SetupError(
          "The playground makes network namespaces and containers, so it needs root: sudo npm run up (or, as any user, npm run up -- --simulated).",
        );
      }
      if (!isSimulated) await installPackages();
      await prepare();
      await run(process.execPath, ["dist/cli/main.js", "playground", "up", "--demo", ...args], {
        inherit: true,
      });
      return;
    }
    case "down":
      await prepare();
      await run(process.execPath, ["dist/cli/main.js", "playground", "down", ...args], {
        inherit: true,
      });
      return;
    case "test":
      if (isRoot()) await installPackages(TEST_BINARIES);
      await prepare();
      await runTests(args);
      return;
    case "bench":
      if (isRoot() && !isSimulated) await installPackages();
      await prepare();
      await run(process.execPath, ["dist/bench/main.js", ...args], { inherit: true });
      return;
    default:
      throw new SetupError(`usage: npm run up | npm run down | npm test | npm run bench`);
  }
}

async function prepare() {
  await installDependencies(root);
  await buildIfStale(root);
}

main().catch((error) => {
  console.error(error instanceof SetupError ? error.message : error);
  process.exit(error.exitCode ?? 1);
});
