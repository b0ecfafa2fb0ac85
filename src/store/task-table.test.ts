import fc from "fast-check";
import { expect, test } from "vitest";
import type { Task } from "../api/index.js";
import { TaskTable } from "./task-table.js";
import { id, sampleTask } from "./testing/samples.js";

const step = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      number: fc.integer({ min: 1, max: 700 }),
      slot: fc.integer({ min: 1, max: 3 }),
      node: fc.integer({ min: 1, max: 2 }),
      pid: fc.nat(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("remove" as const),
      number: fc.integer({ min: 1, max: 700 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("freeze" as const) }) },
  // Reads some of the oldest walk under way.
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("read" as const), count: fc.nat(200) }),
  },
);

type Walk = { readonly tasks: Iterator<Task>; readonly read: Task[]; readonly expected: Task[] };

function readOn(walk: Walk, count: number): void {
  for (let i = 0; i < count; i++) {
    const next = walk.tasks.next();
    if (next.done === true) return;
    walk.read.push(next.value);
  }
}

test("a frozen table is what it was at the call, however the walk and later changes alternate", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 3000, size: "max" }), (steps) => {
      const table = new TaskTable();
      const walks: Walk[] = [];
      for (const change of steps) {
        if (change.kind === "put") {
          const { number, slot, node, pid } = change;
          table.put(sampleTask(number, { slot, pid, nodeId: id("n", node) }));
        } else if (change.kind === "remove") table.remove(id("t", change.number));
        else if (change.kind === "read") {
          const [oldest] = walks;
          if (oldest) readOn(oldest, change.count);
        } else {
          const expected = [...table.list()];
          walks.push({ tasks: table.freeze()[Symbol.iterator](), read: [], expected });
        }
      }
      for (const walk of walks) {
        readOn(walk, 1000);
        expect(walk.read.length).toBe(walk.expected.length);
        expect(walk.read.every((task, i) => task === walk.expected[i])).toBe(true);
      }
    }),
    { numRuns: 20 },
  );
});
