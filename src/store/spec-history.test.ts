import { describe, expect, test } from "vitest";
import { type Change, encodeTransaction, type Service, type ServiceSpec } from "../api/index.js";
import { ClusterStore } from "./cluster-store.js";
import { historyOf, SPEC_HISTORY_LENGTH_MAX } from "./spec-history.js";
import { IDLE_PACE, sampleService, sampleSpec } from "./testing/samples.js";

const ID = sampleService(1).id;

function spec(tag: string, replicas = 1, set: Partial<ServiceSpec> = {}): ServiceSpec {
  const TaskTemplate = { ...sampleSpec("x").TaskTemplate, ContainerSpec: { Image: `bb:${tag}` } };
  return sampleSpec("web", { TaskTemplate, Mode: { Replicated: { Replicas: replicas } }, ...set });
}

class Log {
  readonly store = new ClusterStore(IDLE_PACE);

  write(change: Change, isClient = true): void {
    const index = this.store.index + 1;
    const bytes = encodeTransaction({
      requestId: "",
      atMs: index * 1000,
      isClient,
      preconditions: [],
      changes: [change],
      resultJson: "",
    });
    expect(this.store.apply(index, bytes).kind).toBe("applied");
  }

  put(set: Partial<Service>): void {
    const old = this.store.service(ID);
    const service = old
      ? { ...old, specVersion: 0, previousSpec: old.spec, previousSpecVersion: old.specVersion }
      : sampleService(1);
    this.write({ kind: "putService", service: { ...service, ...set } });
  }

  get service(): Service {
    const found = this.store.service(ID);
    if (!found) throw new Error("no service");
    return found;
  }

  /** `version:image*replicas` of each revision. */
  get history(): readonly string[] {
    return (this.service.history ?? []).map(({ version, spec: { TaskTemplate, Mode } }) => {
      const replicas = "Replicated" in Mode ? Mode.Replicated.Replicas : 0;
      return `${version}:${TaskTemplate.ContainerSpec.Image}*${replicas}`;
    });
  }
}

describe("the history of a service", () => {
  test("keeps the last five specs, the present one last", () => {
    const log = new Log();
    for (let i = 1; i <= 7; i++) log.put({ spec: spec(`${i}`), specBy: `node${i}` });
    expect(log.history).toEqual(["3:bb:3*1", "4:bb:4*1", "5:bb:5*1", "6:bb:6*1", "7:bb:7*1"]);
    expect(log.service.history?.at(-1)).toMatchObject({ atMs: 7000, by: "node7" });
  });

  test("takes a change of the scale alone into the present revision", () => {
    const log = new Log();
    for (const replicas of [1, 2, 3]) log.put({ spec: spec("1", replicas) });
    log.put({ spec: spec("2", 3) });
    expect(log.history).toEqual(["1:bb:1*3", "4:bb:2*3"]);
  });

  test("lists a spec that was gone back to once, as the newest", () => {
    const log = new Log();
    for (const tag of ["1", "2", "1"]) log.put({ spec: spec(tag) });
    expect(log.history).toEqual(["2:bb:2*1", "3:bb:1*1"]);
  });

  test("is not touched by writes of the system", () => {
    const log = new Log();
    log.put({ spec: spec("1") });
    log.put({ spec: spec("1"), ports: [] });
    expect(log.history).toEqual(["1:bb:1*1"]);
  });

  test("is bounded by its length too, yet keeps the present spec", () => {
    const log = new Log();
    const big = (tag: string) => spec(tag, 1, { Labels: { big: "x".repeat(100 * 1024) } });
    for (const tag of ["1", "2", "3"]) log.put({ spec: big(tag) });
    expect(log.history).toEqual(["2:bb:2*1", "3:bb:3*1"]);
    log.put({ spec: spec("4", 1, { Labels: { big: "x".repeat(SPEC_HISTORY_LENGTH_MAX) } }) });
    expect(log.history).toEqual(["4:bb:4*1"]);
  });

  test("survives a snapshot, with the service's author", async () => {
    const log = new Log();
    for (const tag of ["1", "2"]) log.put({ spec: spec(tag), registryAuth: tag, specBy: "n" });
    const copy = new ClusterStore(IDLE_PACE);
    await copy.restore(log.store.snapshot());
    expect(copy.service(ID)).toEqual(log.service);
  });

  test("of a service from before there were histories begins with what is known of it", () => {
    const stamp = { index: 9, atMs: 9000 };
    const old = { ...sampleService(1), spec: spec("2"), specVersion: 7, updatedAtMs: 7000 };
    const before = { ...old, previousSpec: spec("1"), previousSpecVersion: 3 };
    const now = { spec: spec("3"), registryAuth: "", isAutomatic: false };
    const versions = (service: Service): readonly number[] =>
      historyOf(service, now, 5, stamp).map(({ version }) => version);
    expect(versions(old)).toEqual([7, 9]);
    expect(versions(before)).toEqual([3, 7, 9]);
  });
});

describe("an automatic rollback", () => {
  const updating = { state: "updating", startedAtMs: 5, completedAtMs: 0, message: "" } as const;
  const back = (log: Log, specVersion = log.service.specVersion): void =>
    log.write({ kind: "serviceRollBack", serviceId: ID, specVersion, message: "task t" }, false);

  test("exchanges the specs with all that belongs to them and moves the client's version", () => {
    const log = new Log();
    log.put({ spec: spec("1"), registryAuth: "a" });
    const auth = { registryAuth: "b", previousRegistryAuth: "a" };
    log.put({ spec: spec("2"), updateStatus: updating, ...auth });
    back(log);
    expect(log.service).toMatchObject({
      spec: spec("1"),
      specVersion: 1,
      previousSpec: spec("2"),
      previousSpecVersion: 2,
      registryAuth: "a",
      previousRegistryAuth: "b",
      clientIndex: 3,
      versionIndex: 3,
      updateStatus: {
        state: "rollback_started",
        startedAtMs: 5,
        completedAtMs: 0,
        message: "task t",
      },
    });
    expect(log.service.history?.at(-1)).toMatchObject({ version: 3, isAutomatic: true });
  });

  test("of another spec version, or without a previous spec, does nothing", () => {
    const log = new Log();
    log.put({ spec: spec("1"), updateStatus: updating });
    back(log);
    log.put({ spec: spec("2"), updateStatus: updating });
    back(log, 1);
    expect(log.service).toMatchObject({ spec: spec("2"), updateStatus: updating });
  });

  test("pauses the update when a network of the old spec was removed meanwhile", () => {
    const log = new Log();
    const on = (tag: string, Target: string): ServiceSpec => {
      const { TaskTemplate, ...rest } = spec(tag);
      return { ...rest, TaskTemplate: { ...TaskTemplate, Networks: [{ Target }] } };
    };
    log.put({ spec: on("1", "net1") });
    log.put({ spec: on("2", "host"), updateStatus: updating });
    back(log);
    expect(log.service.updateStatus).toMatchObject({
      state: "paused",
      message: "task t; update paused: cannot roll back, network net1 was removed",
    });
    log.put({ spec: on("3", "host"), updateStatus: updating });
    back(log);
    expect(log.service.updateStatus?.state).toBe("rollback_started");
  });

  test("pauses the update when a port of the old spec was taken meanwhile", () => {
    const log = new Log();
    const Ports = [
      { Protocol: "tcp", TargetPort: 80, PublishedPort: 80, PublishMode: "ingress" },
    ] as const;
    log.put({ spec: spec("1", 1, { EndpointSpec: { Ports } }), ports: Ports });
    log.put({ spec: spec("2"), ports: [], updateStatus: updating });
    const rival = sampleService(2);
    const taken = { ...rival, spec: { ...rival.spec, EndpointSpec: { Ports } }, ports: Ports };
    log.write({ kind: "putService", service: taken });
    back(log);
    expect(log.service.spec).toEqual(spec("2"));
    expect(log.service.updateStatus).toMatchObject({
      state: "paused",
      message:
        "task t; update paused: cannot roll back, port 80/tcp is published by service svc2 now",
    });
  });
});
