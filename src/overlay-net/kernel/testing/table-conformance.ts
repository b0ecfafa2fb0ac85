/** What every kernel port sees of a table's content, and of hands other than its own in it. */
import { beforeEach, describe, expect, test } from "vitest";

export type TableHarness = {
  /** The script makes it anew, with one chain c that has a rule, and the comment "full". */
  readonly table: { readonly name: string; readonly script: string };
  /** The namespace. */
  make(): Promise<void>;
  /** Digests of the tables there. */
  observed(): Promise<readonly string[] | undefined>;
  write(script: string): Promise<void>;
  byStranger(script: string): Promise<void>;
};

export function tableConformance(harness: TableHarness): void {
  const { make, observed, write, byStranger } = harness;
  const { name, script: full } = harness.table;
  describe("what is in a table", () => {
    beforeEach(async () => {
      await make();
      await write(full);
    });

    test.each([
      { change: "a chain is flushed", script: `flush chain ip ${name} c\n` },
      { change: "a rule is added", script: `add rule ip ${name} c accept\n` },
      { change: "a chain is added", script: `add chain ip ${name} d\n` },
    ])("$change by a stranger: it has no digest until it is made anew", async ({ script }) => {
      expect(await observed()).toEqual(["full"]);
      await byStranger(script);
      expect(await observed()).toEqual([""]);
      expect(await observed()).toEqual([""]);
      await write(full);
      expect(await observed()).toEqual(["full"]);
    });

    test("a stranger's change is seen right after our writing, nobody having looked", async () => {
      await byStranger(`flush chain ip ${name} c\n`);
      expect(await observed()).toEqual([""]);
    });

    test("our own change of another chain does not hide a stranger's", async () => {
      await write(`add chain ip ${name} d\n`);
      await byStranger(`flush chain ip ${name} c\n`);
      await write(`add rule ip ${name} d accept\n`);
      expect(await observed()).toEqual([""]);
    });

    test("our own changes, and a stranger's of his table, leave it its digest", async () => {
      await write(`add rule ip ${name} c accept\n`);
      expect(await observed()).toEqual(["full"]);
      await byStranger("table ip theirs { chain c { }; }\n");
      expect(await observed()).toEqual(["full"]);
      await byStranger("add rule ip theirs c accept\n");
      expect(await observed()).toEqual(["full"]);
      // One who writes his own right after us, again and again.
      for (let i = 0; i < 3; i++) {
        await write(`add rule ip ${name} c accept\n`);
        await byStranger("add rule ip theirs c accept\n");
      }
      expect(await observed()).toEqual(["full"]);
    });
  });
}
