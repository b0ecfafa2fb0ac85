/** The check that the table of behaviours names tests that are there. */
import { expect, test } from "vitest";

type Check = {
  readonly problemsOf: (
    document: string,
    read: (path: string) => string | undefined,
  ) => readonly string[];
};

const script = new URL("../scripts/check-behaviour.mjs", import.meta.url).href;
const { problemsOf } = (await import(script)) as Check;

const SOURCE = String.raw`
// test("once there was this", () => {});
describe("a group of tests", () => {
  test("one that says \"yes\" to all", () => {});
  test.each<{ name: string }>([
    { name: "CPU" },
    { name: 'a row of the table' },
  ])(
    "over $name and others",
    async ({ name }) => {},
  );
});
`;

function problems(...cells: readonly string[]): readonly string[] {
  const rows = cells.map((cell) => `| does it | ${cell} |`);
  const document = ["# Title", "", "| Behaviour | Test |", "|---|---|", ...rows].join("\n");
  return problemsOf(document, (path) => (path === "src/a.test.ts" ? SOURCE : undefined));
}

test.each([
  { name: "a title", cell: '`src/a.test.ts › one that says "yes" to all`' },
  { name: "a part of a title", cell: "`src/a.test.ts › that says`" },
  { name: "a group", cell: "`src/a.test.ts › a group of tests`" },
  { name: "a title and a row of its table", cell: "`src/a.test.ts › over $name › CPU`" },
  { name: "two tests", cell: "`src/a.test.ts › that says`, `src/a.test.ts › a row of the table`" },
])("$name is found", ({ cell }) => {
  expect(problems(cell)).toEqual([]);
});

test.each([
  { name: "no test", cell: "—", says: "names no test" },
  { name: "a missing file", cell: "`src/b.test.ts › that says`", says: "src/b.test.ts, which is" },
  { name: "a missing title", cell: "`src/a.test.ts › another one`", says: '"another one", which' },
  { name: "a missing row", cell: "`src/a.test.ts › that says › GPU`", says: '"GPU", which' },
  { name: "a comment", cell: "`src/a.test.ts › once there was`", says: "once there was" },
  { name: "a part that says nothing", cell: "`src/a.test.ts › one`", says: '"one", which is no' },
  { name: "a file without a title", cell: "`src/a.test.ts`", says: "write `path.test.ts › title`" },
  { name: "a file that is no test", cell: "`src/a.ts › that says`", says: "write `path.test.ts" },
  {
    name: "one of two",
    cell: "`src/a.test.ts › that says` `src/a.test.ts › no such`",
    says: "no su",
  },
])("$name is a problem", ({ cell, says }) => {
  expect(problems(cell)).toEqual([expect.stringContaining(`docs/reference/behaviour.md:5: "does`)]);
  expect(problems(cell)[0]).toContain(says);
});

test("what is not there yet names no tests; a document without rows is a problem", () => {
  const document =
    "| B | T |\n|---|---|\n| does it | `src/a.test.ts › that says` |\n## Not there yet\n";
  const table = "| B | T |\n|---|---|\n| more | - |";
  expect(problemsOf(document + table, () => SOURCE)).toEqual([]);
  expect(problemsOf("# Title", () => SOURCE)).toHaveLength(1);
});
