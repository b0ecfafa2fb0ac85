// Generates the static protobuf code. `--check` compares instead of writing and fails when the files are stale.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const isCheck = process.argv.includes("--check");
const pbjs = join(root, "node_modules/.bin/pbjs");
const pbts = join(root, "node_modules/.bin/pbts");

const targets = [
  {
    protos: readdirSync(join(root, "proto"))
      .filter((name) => name.endsWith(".proto"))
      .sort()
      .map((name) => join(root, "proto", name)),
    includes: [join(root, "proto")],
    out: join(root, "src/api/gen/proto"),
    root: "swarm",
  },
  {
    protos: [join(root, "proto/containerd/swarm-engine.proto")],
    includes: [join(root, "proto/containerd")],
    out: join(root, "src/worker/engine/containerd/gen/containerd"),
    root: "containerd",
  },
];

function generate(target, dir) {
  const js = join(dir, "out.js");
  const dts = join(dir, "out.d.ts");
  const includes = target.includes.flatMap((path) => ["-p", path]);
  const flags = ["--no-comments", "--no-delimited", "--no-verify", "--no-convert", "--no-service"];
  // protobufjs' declaration generator reads the comments, so it works on a commented twin of the module.
  const twin = join(dir, "twin.js");
  const base = [
    "-t",
    "static-module",
    "-w",
    "es6",
    "--dependency",
    "protobufjs/minimal.js",
    "--force-number",
    "-r",
    target.root,
    ...includes,
  ];
  execFileSync(pbjs, [...base, ...flags, "-o", js, ...target.protos]);
  execFileSync(pbjs, [...base, ...flags.slice(1), "-o", twin, ...target.protos]);
  execFileSync(pbts, ["--no-comments", "-o", dts, twin]);
  const header = "// Generated from the .proto files by scripts/gen-proto.mjs. Never edited.\n";
  return {
    js: header + readFileSync(js, "utf8"),
    dts:
      header +
      readFileSync(dts, "utf8")
        .replace('import Long = require("long");\n', "")
        .replace(/^import Long.*\n/m, ""),
  };
}

const stale = [];
for (const target of targets) {
  if (!target.protos.every((path) => existsSync(path))) continue;
  const dir = mkdtempSync(join(tmpdir(), "swarm-gen-"));
  try {
    const { js, dts } = generate(target, dir);
    for (const [path, text] of [
      [`${target.out}.js`, js],
      [`${target.out}.d.ts`, dts],
    ]) {
      if (existsSync(path) && readFileSync(path, "utf8") === text) continue;
      stale.push(path);
      if (isCheck) continue;
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, text);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
}
if (isCheck && stale.length > 0) {
  console.error(`generated code is stale, run "npm run gen":\n  ${stale.join("\n  ")}`);
  process.exit(1);
}
console.log(stale.length === 0 ? "generated code is fresh" : `wrote\n  ${stale.join("\n  ")}`);
