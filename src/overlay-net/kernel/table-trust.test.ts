import { beforeEach, describe, expect, test } from "vitest";
import {
  observedTables,
  type TableLook,
  TableTrust,
  TableTrusts,
  tablesNamed,
} from "./table-trust.js";

const KEY = "inet t";
let trust: TableTrust;

function table(change: Partial<TableLook> = {}): TableLook {
  return { family: "inet", name: "t", comment: "one", instance: "1", content: "rules", ...change };
}

beforeEach(() => {
  trust = new TableTrust(false);
});

test("what is seen for the first time is believed", () => {
  trust.compare([table()], false);
  expect(trust.isAltered(KEY)).toBe(false);
});

test("a rule that somebody took out is seen, and seen to be back", () => {
  trust.compare([table()], true);
  trust.compare([table({ content: "fewer rules" })], false);
  expect(trust.isAltered(KEY)).toBe(true);
  trust.compare([table()], false);
  expect(trust.isAltered(KEY)).toBe(false);
});

describe("is no alteration:", () => {
  test.each<{ name: string; now: readonly TableLook[] }>([
    { name: "the same again", now: [table()] },
    { name: "made anew", now: [table({ instance: "2", content: "other" })] },
    { name: "another comment", now: [table({ comment: "two", content: "other" })] },
    {
      name: "another revision mark",
      now: [table({ content: "other" }), table({ name: "t_rev", comment: "two", instance: "5" })],
    },
  ])("$name", ({ now }) => {
    trust.compare([table()], true);
    trust.compare(now, false);
    expect(trust.isAltered(KEY)).toBe(false);
  });

  test("what our script did, when nobody wrote after it", () => {
    trust.compare([table()], true);
    trust.wrote(KEY);
    trust.compare([table({ content: "other" })], true);
    expect(trust.isAltered(KEY)).toBe(false);
    expect(trust.isSettled(KEY)).toBe(true);
  });
});

test("when somebody wrote after our script, nobody knows what is in it", () => {
  trust.wrote(KEY);
  trust.compare([table()], false);
  expect(trust.isAltered(KEY)).toBe(true);
});

test("a script of ours that changes a part leaves an alteration where it is; one that makes the table anew ends it", () => {
  trust.compare([table()], true);
  trust.compare([table({ content: "fewer rules" })], false);
  trust.wrote(KEY);
  trust.compare([table({ content: "other" })], true);
  trust.compare([table({ content: "other" })], true);
  expect(trust.isAltered(KEY)).toBe(true);
  trust.wrote(KEY);
  trust.compare([table({ instance: "2" })], true);
  expect(trust.isAltered(KEY)).toBe(false);
});

test("what is gone is forgotten", () => {
  trust.compare([table()], true);
  trust.compare([table({ content: "fewer rules" })], false);
  trust.keepOnly(new Set());
  expect(trust.has(KEY)).toBe(false);
  expect(trust.isEmpty).toBe(true);
  trust.compare([table({ content: "fewer rules" })], false);
  expect(trust.isAltered(KEY)).toBe(false);
});

test("an altered table and its revision are observed without a digest, others with theirs", () => {
  trust.compare([table()], true);
  trust.compare([table({ content: "fewer rules" })], false);
  const seen = ["t", "t_rev", "u"].map((name) => ({
    ...{ family: "inet" as const, name, comment: "one" },
  }));
  expect(observedTables(seen, trust).map(({ hash }) => hash)).toEqual(["", "", "one"]);
});

test("a namespace that took the place of another of its name is another", () => {
  const trusts = new TableTrusts();
  const first = trusts.of("a", "1");
  expect(trusts.of("a", "1")).toBe(first);
  expect(trusts.of("a", "2")).not.toBe(first);
});

test("a namespace is forgotten once another has its name, or none", () => {
  const trusts = new TableTrusts();
  const first = trusts.of("a", "1");
  expect(trusts.forgetStale("a", "1")).toBe(false);
  expect(trusts.of("a", "1")).toBe(first);
  expect(trusts.forgetStale("a", undefined)).toBe(true);
  expect(trusts.forgetStale("a", undefined)).toBe(false);
  expect(trusts.of("a", "1")).not.toBe(first);
});

test("what is stored is what was looked at, and is compared by whoever restores it", () => {
  const trusts = new TableTrusts();
  const one = trusts.of("a", "1");
  one.compare([table()], true);
  one.wrote("inet unseen");
  one.generation = 7;
  trusts.of("b", "2").wrote("inet unseen");
  const next = new TableTrusts();
  for (const stored of JSON.parse(JSON.stringify(trusts.stored))) next.restore(stored);
  expect(next.stored).toEqual(trusts.stored);
  expect(next.stored.map(({ netns }) => netns)).toEqual(["a"]);
  const again = next.of("a", "1");
  expect(again.generation).toBe(7);
  again.compare([table({ content: "fewer rules" })], false);
  expect(again.isAltered(KEY)).toBe(true);
});

test("the oldest of too many namespaces is forgotten", () => {
  const trusts = new TableTrusts();
  const first = trusts.of("0", "1");
  for (let i = 1; i <= 4096; i++) trusts.of(`${i}`, "1");
  expect(trusts.of("0", "1")).not.toBe(first);
});

test("the tables of a script", () => {
  const script = `flush chain inet one c\nadd rule ip two c dnat ip to 10.0.0.1\ntable netdev three { }\ndelete table ip6 four\n`;
  expect([...tablesNamed(script)]).toEqual([
    "inet one",
    "ip two",
    "ip to",
    "netdev three",
    "ip6 four",
  ]);
});
