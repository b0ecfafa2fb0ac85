import { expect, test } from "vitest";
import { runBody } from "./commands/run.js";

test("image, command, environment and networks become a task template", () => {
  const flags = {
    name: "tool",
    network: ["app", "name=db,alias=store"],
    env: ["A=1"],
    stopGracePeriod: "1s500ms",
  };
  expect(runBody("busybox", ["sleep", "9"], flags)).toEqual({
    Name: "tool",
    TaskTemplate: {
      ContainerSpec: {
        Image: "busybox",
        Args: ["sleep", "9"],
        Env: ["A=1"],
        StopGracePeriod: 1_500_000_000,
      },
      Networks: [{ Target: "app" }, { Target: "db", Aliases: ["store"] }],
    },
  });
});

test("without a network it is refused before anything is asked", () => {
  expect(() => runBody("busybox", [], { network: [], env: [] })).toThrow("--network NET");
});
