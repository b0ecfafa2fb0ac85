/** What linters do not see: folder READMEs, file sizes, words that must not stay, data files that nobody reads. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";

const root = new URL("..", import.meta.url).pathname;
const LINES_MAX = 600;

function* walk(dir: string): Generator<string> {
  for (const name of readdirSync(dir)) {
    if (["node_modules", "dist", "gen", ".git", "out"].includes(name)) continue;
    const path = join(dir, name);
    if (statSync(path).isDirectory()) yield* walk(path);
    else yield path;
  }
}

const sources = ["src", "test", "bench", "deploy", "scripts", "proto"].flatMap((dir) => [
  ...walk(join(root, dir)),
]);
const typescript = sources.filter((path) => path.endsWith(".ts"));
const names = (paths: readonly string[]): string[] => paths.map((path) => relative(root, path));

test("every folder of src says what it owns", () => {
  const folders = readdirSync(join(root, "src")).filter((name) =>
    statSync(join(root, "src", name)).isDirectory(),
  );
  const silent = folders.filter((name) => !sources.includes(join(root, "src", name, "README.md")));
  expect(silent).toEqual([]);
});

test("a folder README is short and has the agreed parts", () => {
  const readmes = sources.filter(
    (path) => path.startsWith(join(root, "src")) && path.endsWith("README.md"),
  );
  const odd = readmes.filter((path) => {
    const text = readFileSync(path, "utf8");
    return !/\*?\*?Owns/.test(text) || !/Tests/.test(text) || text.split("\n").length > 90;
  });
  expect(names(odd)).toEqual([]);
});

test(`no source file is longer than ${LINES_MAX} lines`, () => {
  const long = typescript.filter(
    (path) => readFileSync(path, "utf8").split("\n").length > LINES_MAX,
  );
  expect(names(long)).toEqual([]);
});

test("nothing is left to fix, skipped or focused", () => {
  const words = new RegExp(
    ["FIX" + "ME", String.raw`\b(it|test|describe)\.(only|skip|todo)\b`].join("|"),
  );
  const marked = typescript.filter((path) => words.test(readFileSync(path, "utf8")));
  expect(names(marked)).toEqual([]);
});

test("every data file is read by a test beside it", () => {
  const data = sources.filter((path) => path.includes("/testdata/"));
  const orphans = data.filter((path) => {
    const folder = path.slice(0, path.indexOf("/testdata/"));
    const tests = typescript.filter(
      (candidate) => candidate.startsWith(folder) && candidate.endsWith("test.ts"),
    );
    const file = path.split("/").at(-1) ?? "";
    return !tests.some((candidate) => {
      const text = readFileSync(candidate, "utf8");
      return text.includes(file) || /readdirSync|readdir\(/.test(text);
    });
  });
  expect(names(orphans)).toEqual([]);
});
