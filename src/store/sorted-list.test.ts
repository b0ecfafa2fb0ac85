import fc from "fast-check";
import { expect, test } from "vitest";
import { SortedList } from "./sorted-list.js";

type Item = { readonly id: string; readonly value: number };

test("holds what a plain sorted array holds, after any changes", () => {
  const step = fc.record({
    id: fc.nat(2000).map((n) => String(n).padStart(4, "0")),
    value: fc.nat(),
    isDelete: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 3000, size: "max" }), (steps) => {
      const list = new SortedList<Item>();
      const model = new Map<string, Item>();
      for (const { id, value, isDelete } of steps) {
        if (isDelete) {
          list.delete(id);
          model.delete(id);
        } else {
          list.set({ id, value });
          model.set(id, { id, value });
        }
      }
      const expected = [...model.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
      expect(list.list()).toEqual(expected);
      expect(list.size).toBe(expected.length);
    }),
    { numRuns: 20 },
  );
});

test.each([
  { name: "in order", order: (n: number) => n },
  { name: "backwards", order: (n: number) => 4999 - n },
  { name: "from both ends", order: (n: number) => (n % 2 === 0 ? n : 4999 - (n - 1)) },
])("takes thousands of items $name", ({ order }) => {
  const list = new SortedList<Item>();
  for (let n = 0; n < 5000; n++) {
    const value = order(n);
    list.set({ id: String(value).padStart(4, "0"), value });
  }
  const values = list.list().map((item) => item.value);
  expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
  for (const value of values) list.delete(String(value).padStart(4, "0"));
  expect(list.list()).toEqual([]);
});
