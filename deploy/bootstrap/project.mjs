// Dependencies and build, each only when something changed.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, step } from "./run.mjs";

const INSTALLED = "node_modules/.swarmd-lock";
const BUILT = "dist/.swarmd-sources";

export async function installDependencies(root) {
  const lock = hash([readFileSync(join(root, "package-lock.json"))]);
  const stamp = join(root, INSTALLED);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  await step("installing dependencies", () =>
    run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], { what: "npm ci" }),
  );
  writeFileSync(stamp, lock);
}

export async function buildIfStale(root) {
  const sources = hash(
    listSources(root).map((path) => `${path} ${statSync(path).size} ${hash([readFileSync(path)])}`),
  );
  const stamp = join(root, BUILT);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === sources) return;
  await step("building", () => run("npm", ["run", "build"], { what: "npm run build" }));
  writeFileSync(stamp, sources);
}

function listSources(root) {
  const files = [];
  const walk = (dir) => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (
        entry.name === "dist" ||
        entry.name === "node_modules" ||
        entry.name === "testdata" ||
        entry.name === "out"
      )
        continue;
      const path = join(dir, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (!entry.name.endsWith(".test.ts") && !entry.name.endsWith(".md")) files.push(path);
    }
  };
  for (const dir of ["src", "scripts", "bench"]) walk(join(root, dir));
  for (const name of ["tsconfig.base.json", "tsconfig.build.json", "package.json"])
    files.push(join(root, name));
  return files.sort();
}

function hash(parts) {
  const sum = createHash("sha256");
  for (const part of parts) sum.update(part);
  return sum.digest("hex");
}
