import { expect, test } from "vitest";
import type { Task } from "../api/index.js";
import { Group, PendingGroups } from "./pending-groups.js";
import { makeTask } from "./testing/objects.js";

const task = (id: string, serviceId: string, specVersion = 1, slot = 0): Task =>
  makeTask(id, { serviceId, specVersion, slot });

/** Ids per group, in order, with the slot of each task. */
function shown(groups: PendingGroups): string[] {
  return [...groups.entries()].map(([, entry]) =>
    (entry instanceof Group ? [...entry.tasks.values()] : [entry])
      .map(({ id, slot }) => `${id}${slot}`)
      .join(" "),
  );
}

test("groups stay in the order in which they came, however many tasks and versions a service has", () => {
  const groups = new PendingGroups();
  groups.put(task("a", "s1"));
  groups.put(task("b", "s2"));
  groups.put(task("c", "s1", 2));
  groups.put(task("d", "s1"));
  groups.put(task("e", "s1", 2));
  groups.put(task("b", "s2", 1, 7));
  expect([groups.taskCount, shown(groups)]).toEqual([5, ["a0 d0", "b7", "c0 e0"]]);
});

test("a version that lost the place of its service to another is still found", () => {
  const groups = new PendingGroups();
  groups.put(task("a", "s", 1));
  groups.put(task("b", "s", 2));
  groups.delete(task("a", "s", 1));
  groups.put(task("c", "s", 3));
  groups.put(task("d", "s", 2));
  groups.put(task("e", "s", 1));
  expect(shown(groups)).toEqual(["b0 d0", "c0", "e0"]);
  for (const gone of [task("d", "s", 2), task("b", "s", 2), task("e", "s", 1)]) groups.delete(gone);
  expect(shown(groups)).toEqual(["c0"]);
  groups.delete(task("c", "s", 3));
  groups.put(task("f", "s", 2));
  expect([groups.taskCount, shown(groups)]).toEqual([1, ["f0"]]);
});

test("taking away what is not there takes nothing", () => {
  const groups = new PendingGroups();
  groups.delete(task("a", "s"));
  groups.put(task("a", "s"));
  groups.delete(task("b", "s"));
  groups.delete(task("a", "s", 2));
  expect(shown(groups)).toEqual(["a0"]);
  groups.put(task("c", "s"));
  groups.delete(task("b", "s"));
  expect(shown(groups)).toEqual(["a0 c0"]);
});

test("what is visited may be dropped, and opened where it stands", () => {
  const groups = new PendingGroups();
  for (const id of ["a", "b", "c"]) groups.put(task(id, `of-${id}`));
  for (const [key, entry] of groups.entries()) {
    if (entry instanceof Group) continue;
    if (entry.id === "a") groups.open(key, entry);
    else if (entry.id === "b") groups.drop(key, entry);
  }
  groups.put(task("d", "of-a"));
  expect(shown(groups)).toEqual(["a0 d0", "c0"]);
});
