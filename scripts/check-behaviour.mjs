// docs/reference/behaviour.md names a test for every behaviour. Fails when a row names none, or one that is not there.
//
// A test is named as `path/to/file.test.ts › title`, or `… › title › row of its table`; a distinctive part of a title is enough.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const DOCUMENT = "docs/reference/behaviour.md";
/** From here on the document has no tests to name. */
const END = "## Not there yet";
/** A part of a title that is shorter says too little: it has to be the whole title. */
const DISTINCTIVE_MIN = 8;

const STRING = String.raw`(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|\`((?:\\.|[^\`\\])*)\`)`;
const TITLES = [
  // test("…", and describe("…",
  new RegExp(String.raw`\b(?:test|it|describe)(?:\.\w+)*\(\s*${STRING}\s*,`, "g"),
  // test.each(…)("…", () =>
  new RegExp(String.raw`\)\(\s*${STRING}\s*,\s*(?:async\s*)?[(\w]`, "g"),
  // A row of the table that a test runs over: { name: "…"
  new RegExp(String.raw`\bname:\s*${STRING}`, "g"),
];

/** Titles of tests, of groups, and of the rows of tables. */
export function titlesOf(source) {
  const code = source.replace(/^\s*(?:\/\/|\/?\*).*$/gm, "");
  return TITLES.flatMap((pattern) =>
    [...code.matchAll(pattern)].map(([, a, b, c]) => (a ?? b ?? c).replace(/\\(.)/g, "$1")),
  );
}

/** What is wrong with the document, one sentence each. `read` gives a file's text, or undefined when there is none. */
export function problemsOf(document, read) {
  const titles = new Map();
  const rows = rowsOf(document);
  if (rows.length === 0) return [`${DOCUMENT}: no rows`];
  return rows.flatMap(({ line, behaviour, tests }) => {
    const say = (what) => `${DOCUMENT}:${line}: "${behaviour}" ${what}`;
    if (tests.length === 0) return [say("names no test")];
    return tests.flatMap((test) => {
      const [path, ...parts] = test.split(" › ");
      if (!path.endsWith(".test.ts") || parts.length === 0)
        return [say(`names "${test}": write \`path.test.ts › title\``)];
      if (!titles.has(path)) {
        const source = read(path);
        titles.set(path, source === undefined ? undefined : titlesOf(source));
      }
      const known = titles.get(path);
      if (known === undefined) return [say(`names ${path}, which is not there`)];
      return parts
        .filter((part) => !known.some((title) => isNamed(title, part)))
        .map((part) => say(`names "${part}", which is no title in ${path}`));
    });
  });
}

function isNamed(title, part) {
  return part.length < DISTINCTIVE_MIN ? title === part : title.includes(part);
}

/** Rows of the tables, without their heads. */
export function rowsOf(document) {
  const rows = [];
  let isHead = true;
  for (const [i, text] of document.split("\n").entries()) {
    if (text.startsWith(END)) break;
    if (!text.startsWith("|")) isHead = true;
    else if (/^\|[\s|:-]+$/.test(text)) isHead = false;
    else if (!isHead) {
      const [behaviour = "", named = ""] = text.split(/(?<!\\)\|/).slice(1);
      const tests = [...named.matchAll(/`([^`]+)`/g)].map(([, test]) => test.trim());
      rows.push({ line: i + 1, behaviour: behaviour.trim(), tests });
    }
  }
  return rows;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const read = (path) => {
    const full = join(root, path);
    return existsSync(full) ? readFileSync(full, "utf8") : undefined;
  };
  const document = read(DOCUMENT) ?? "";
  const problems = problemsOf(document, read);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exit(1);
  console.log(`${DOCUMENT}: ${rowsOf(document).length} behaviours, each with its test`);
}
