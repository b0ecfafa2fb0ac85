// Copies what tsc leaves behind: generated JavaScript and data files that programs read at run time.
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = new URL("..", import.meta.url).pathname;

function* walk(dir) {
  for (const name of readdirSync(dir)) {
    if (name === "node_modules" || name === "dist" || name === "testdata") continue;
    const path = join(dir, name);
    if (statSync(path).isDirectory()) yield* walk(path);
    else yield path;
  }
}

function copyInto(from, to, wanted, skip) {
  for (const path of walk(from)) {
    if (!wanted(path) || skip(path)) continue;
    const target = join(to, relative(from, path));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(path, target);
  }
}

const wanted = (path) => /\/gen\/[^/]+\.(js|d\.ts)$/.test(path) || /\/assets\//.test(path);
copyInto(join(root, "src"), join(root, "dist"), wanted, (path) =>
  path.startsWith(join(root, "src/raft")),
);
copyInto(join(root, "src/raft"), join(root, "src/raft/dist"), wanted, () => false);
for (const bin of ["dist/cli/main.js", "dist/node/main.js"]) {
  if (existsSync(join(root, bin))) chmodSync(join(root, bin), 0o755);
}
