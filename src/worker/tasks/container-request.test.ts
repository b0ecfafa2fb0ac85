import { describe, expect, test } from "vitest";
import { fakeAssignment } from "../testing/node-kit.js";
import { expandedSpec } from "./container-request.js";

const NODE = { nodeId: "n1", hostname: "h1", os: "linux", architecture: "x86_64" };

describe("generic resources in the container's environment", () => {
  test("names are listed, numbers are numbers, after what the user set", () => {
    const assignment = fakeAssignment("t1", {
      spec: { ContainerSpec: { Image: "bb:latest", Env: ["A=1"] } },
      genericResources: [
        { NamedResourceSpec: { Kind: "gpu", Value: "UUID1" } },
        { NamedResourceSpec: { Kind: "gpu", Value: "UUID2" } },
        { DiscreteResourceSpec: { Kind: "fpga", Value: 3 } },
      ],
    });
    expect(expandedSpec(assignment, NODE).Env).toEqual([
      "A=1",
      "DOCKER_RESOURCE_GPU=UUID1,UUID2",
      "DOCKER_RESOURCE_FPGA=3",
    ]);
  });

  test("a task without any has none", () => {
    expect(expandedSpec(fakeAssignment("t1"), NODE).Env).toBeUndefined();
  });
});
