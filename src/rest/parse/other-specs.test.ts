import { describe, expect, test } from "vitest";
import { DEFAULT_CLUSTER_SPEC, parseClusterSpec, parseInitialClusterSpec } from "./cluster-spec.js";
import { parseInit, parseJoin } from "./membership.js";
import { parseNodeSpec } from "./node-spec.js";
import { dropNewerFields, SERVICE_SPEC_DROPS } from "./old-api.js";

describe("NodeSpec", () => {
  test("what the body leaves out is the Engine's zero: an active worker", () => {
    expect(parseNodeSpec({})).toEqual({ Labels: {}, Role: "worker", Availability: "active" });
  });

  test("the settings of a drain keep their zeros", () => {
    const Drain = { Deadline: 0, MaxParallel: 0 };
    expect(parseNodeSpec({ Availability: "drain", Drain })).toMatchObject({ Drain });
  });

  test.each([
    {
      body: { Drain: { Deadline: "10m" } },
      message:
        "json: cannot unmarshal string into Go struct field NodeSpec.Drain.Deadline of type time.Duration",
    },
    { body: { Role: "boss" }, message: 'invalid Role: "boss"' },
    { body: { Availability: "asleep" }, message: 'invalid Availability: "asleep"' },
  ])("$message", ({ body, message }) => {
    expect(() => parseNodeSpec(body)).toThrow(message);
  });
});

describe("ClusterSpec", () => {
  test("init: what is left out or zero keeps its default", () => {
    const spec = parseInitialClusterSpec({
      Labels: null,
      Orchestration: {},
      Raft: { ElectionTick: 0 },
    });
    expect(spec).toEqual(DEFAULT_CLUSTER_SPEC);
  });

  test("update: the body is the whole spec, what is left out is zero", () => {
    const spec = parseClusterSpec({ Name: "default", Raft: { SnapshotInterval: 7 } });
    expect(spec.Orchestration.TaskHistoryRetentionLimit).toBe(0);
    expect(spec.Raft).toEqual({
      SnapshotInterval: 7,
      KeepOldSnapshots: 0,
      LogEntriesForSlowFollowers: 0,
      ElectionTick: 0,
      HeartbeatTick: 0,
    });
  });

  test("a spec that was read and posted back is the same spec", () => {
    const shown: unknown = JSON.parse(JSON.stringify(DEFAULT_CLUSTER_SPEC));
    expect(parseClusterSpec(shown)).toEqual(DEFAULT_CLUSTER_SPEC);
  });

  test("an external CA is refused, not dropped", () => {
    const body = { CAConfig: { ExternalCAs: [{ URL: "https://ca" }] } };
    expect(() => parseClusterSpec(body)).toThrow(
      "Spec: field CAConfig.ExternalCAs is not supported yet",
    );
  });
});

describe("membership", () => {
  test("init as the CLI sends it", () => {
    const body = {
      ListenAddr: "0.0.0.0:2377",
      SubnetSize: 24,
      Spec: { Labels: null },
      Availability: "active",
    };
    expect(parseInit(body)).toEqual({
      ListenAddr: "0.0.0.0:2377",
      AdvertiseAddr: "",
      DataPathAddr: "",
      DataPathPort: 0,
      ForceNewCluster: false,
      Spec: DEFAULT_CLUSTER_SPEC,
      AutoLockManagers: false,
      Availability: "active",
      DefaultAddrPool: [],
      SubnetSize: 24,
    });
  });

  test("init that forces a new cluster, as the CLI sends it", () => {
    const body = {
      ListenAddr: "0.0.0.0:2377",
      AdvertiseAddr: "10.0.0.1",
      DataPathAddr: "",
      DataPathPort: 0,
      DefaultAddrPool: null,
      ForceNewCluster: true,
      Spec: {
        Labels: null,
        Orchestration: {},
        Raft: { ElectionTick: 0, HeartbeatTick: 0 },
        Dispatcher: {},
        CAConfig: {},
        TaskDefaults: {},
        EncryptionConfig: { AutoLockManagers: false },
      },
      AutoLockManagers: false,
      Availability: "",
      SubnetSize: 24,
    };
    expect(parseInit(body)).toMatchObject({ ForceNewCluster: true, AdvertiseAddr: "10.0.0.1" });
  });

  test.each([
    { field: "DataPathPort", given: { DataPathPort: 4800 } },
    { field: "DefaultAddrPool", given: { DefaultAddrPool: ["10.0.0.0/8"] } },
    { field: "SubnetSize", given: { SubnetSize: 25 } },
    { field: "Availability", given: { Availability: "drain" } },
    { field: "Spec", given: { Spec: { Orchestration: { TaskHistoryRetentionLimit: 2 } } } },
  ])("$field says nothing to a cluster that goes on, so it is refused", ({ field, given }) => {
    expect(() => parseInit({ ForceNewCluster: true, ...given })).toThrow(
      `swarm init: ${field} cannot be set together with ForceNewCluster`,
    );
  });

  test("join needs an address", () => {
    expect(() => parseJoin({ JoinToken: "t" })).toThrow("at least one remote address");
  });
});

describe("fields of newer API versions", () => {
  const body = {
    Mode: { ReplicatedJob: {} },
    TaskTemplate: {
      ContainerSpec: {
        Image: "bb",
        Sysctls: { a: "1" },
        OomScoreAdj: 5,
        Configs: [{ Runtime: {}, ConfigID: "c" }],
      },
      Resources: { Limits: { Pids: 5, NanoCPUs: 7 } },
    },
  };
  test.each([
    {
      version: "1.50",
      kept: ["Sysctls", "OomScoreAdj", "Configs"],
      mode: { ReplicatedJob: {} },
      pids: 5,
    },
    { version: "1.45", kept: ["Sysctls", "Configs"], mode: { ReplicatedJob: {} }, pids: 5 },
    { version: "1.40", kept: ["Sysctls", "Configs"], mode: {}, pids: undefined },
    { version: "1.39", kept: ["Configs"], mode: {}, pids: undefined },
  ])("a client of $version keeps $kept", ({ version, kept, mode, pids }) => {
    const left = dropNewerFields(body, version, SERVICE_SPEC_DROPS) as typeof body;
    const { Image: _image, ...container } = left.TaskTemplate.ContainerSpec;
    expect(Object.keys(container)).toEqual(kept);
    expect(left.Mode).toEqual(mode);
    expect(left.TaskTemplate.Resources.Limits.Pids).toBe(pids);
    const runtime = Object.hasOwn(container.Configs[0] ?? {}, "Runtime");
    expect(runtime).toBe(version !== "1.39");
  });
});
