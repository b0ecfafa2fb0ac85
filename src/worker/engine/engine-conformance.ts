/**
 * What every engine must do, whatever is behind it. Run on the simulated engine with the unit tests and on a real containerd
 * in test/cluster. Scripts keep to the simulated vocabulary (simulated/README.md), which a real shell understands too.
 */
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ContainerSpec, ResourceRequirements } from "../../api/index.js";
import type {
  ContainerRequest,
  Engine,
  EngineErrorCode,
  EngineEvent,
  ExitStatus,
  PullProgress,
  RegistryAuth,
} from "./port.js";

export interface ConformanceHarness {
  /** Makes ready and opens an engine. */
  start(): Promise<Engine>;
  /** Another engine on the same containers, after the first was disposed: the agent restarted. */
  reopen(): Promise<Engine>;
  /** The engine behind goes away for a moment and comes back by itself; resolves when it has been told to. */
  restartEngine(): Promise<void>;
  stop(): Promise<void>;
  /** Lets time go by. */
  pass(ms: number): Promise<void>;
  request(
    id: string,
    spec: Partial<ContainerSpec>,
    resources: ResourceRequirements,
  ): ContainerRequest;
  /** The limits in force for a running container. */
  limits(id: string): Promise<{ readonly memoryBytes: number; readonly pids: number }>;
  readonly images: {
    readonly good: string;
    readonly missing: string;
    readonly private: string;
    readonly credentials: RegistryAuth;
    readonly wrongCredentials: RegistryAuth;
  };
}

const never = new AbortController().signal;

export function describeEngine(name: string, harness: ConformanceHarness): void {
  describe(`engine conformance: ${name}`, () => {
    let engine: Engine;
    let count = 0;
    const made: string[] = [];

    beforeAll(async () => {
      engine = await harness.start();
      await within(engine.pull(harness.images.good, { auth: undefined, signal: never }));
    });
    afterEach(async () => {
      for (const id of made.splice(0)) await within(engine.remove(id));
    });
    afterAll(async () => {
      await engine?.[Symbol.asyncDispose]();
      await harness.stop();
    });

    /** Awaits `promise` while time passes. */
    async function within<T>(promise: Promise<T>, limitMs = 30_000): Promise<T> {
      let isDone = false;
      const done = (): void => {
        isDone = true;
      };
      promise.then(done, done);
      for (let ms = 0; !isDone && ms < limitMs; ms += 20) await harness.pass(20);
      if (!isDone) throw new Error(`nothing within ${limitMs} ms`);
      return promise;
    }

    async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<void> {
      for (let ms = 0; ms < 20_000; ms += 50) {
        if (await isTrue()) return;
        await harness.pass(50);
      }
      throw new Error("did not become true");
    }

    async function codeOf(promise: Promise<unknown>): Promise<EngineErrorCode | "none"> {
      try {
        await within(promise);
        return "none";
      } catch (error) {
        if (error instanceof Error && error.name === "EngineError" && "code" in error)
          return error.code as EngineErrorCode;
        throw error;
      }
    }

    async function create(
      spec: Partial<ContainerSpec>,
      resources: ResourceRequirements = {},
    ): Promise<ContainerRequest> {
      const request = harness.request(`conf-${process.pid}-${++count}`, spec, resources);
      made.push(request.id);
      await within(engine.create(request, never));
      return request;
    }

    async function run(script: string, resources: ResourceRequirements = {}): Promise<string> {
      const { id } = await create({ Command: ["sh", "-c", script] }, resources);
      await within(engine.start(id, never));
      return id;
    }

    function ended(id: string): Promise<ExitStatus> {
      return within(engine.wait(id, never));
    }

    test("info names the program that runs containers", async () => {
      expect((await within(engine.info())).runtime).toMatch(/^(runc|crun|simulated)$/);
    });

    test("pull reports progress that ends with every layer done", async () => {
      await within(engine.removeImage(harness.images.good));
      const seen: PullProgress[] = [];
      const info = await within(
        engine.pull(harness.images.good, {
          auth: undefined,
          onProgress: (progress) => seen.push(progress),
          signal: never,
        }),
      );
      const last = new Map(seen.map(({ layer, status }) => [layer, status]));
      expect(info.id).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(last.size).toBeGreaterThan(0);
      expect([...new Set(last.values())]).toEqual(["done"]);
      expect((await within(engine.image(harness.images.good)))?.id).toBe(info.id);
    });

    test("pull of a missing image is IMAGE_NOT_FOUND", async () => {
      const pull = engine.pull(harness.images.missing, { auth: undefined, signal: never });
      expect(await codeOf(pull)).toBe("IMAGE_NOT_FOUND");
    });

    test.each([
      { name: "without credentials", auth: "none" },
      { name: "with wrong credentials", auth: "wrongCredentials" },
    ] as const)("pull of a private image $name is AUTH_FAILED", async ({ auth }) => {
      const options = { auth: auth === "none" ? undefined : harness.images[auth], signal: never };
      expect(await codeOf(engine.pull(harness.images.private, options))).toBe("AUTH_FAILED");
    });

    test("pull of a private image with its credentials succeeds", async () => {
      const auth = harness.images.credentials;
      expect(await codeOf(engine.pull(harness.images.private, { auth, signal: never }))).toBe(
        "none",
      );
    });

    test("a tag names the same image and can be removed by itself", async () => {
      await within(engine.tagImage(harness.images.good, "conformance-tag:1"));
      const before = await within(engine.image(harness.images.good));
      expect((await within(engine.image("conformance-tag:1")))?.id).toBe(before?.id);
      expect(await within(engine.removeImage("conformance-tag:1"))).toEqual(["conformance-tag:1"]);
      expect(await within(engine.image("conformance-tag:1"))).toBeUndefined();
      expect((await within(engine.image(harness.images.good)))?.id).toBe(before?.id);
    });

    test("resolve says what a pull would get, without pulling", async () => {
      const options = { auth: undefined, signal: never };
      const found = await within(engine.resolve(harness.images.good, options));
      const info = await within(engine.image(harness.images.good));
      expect(info?.digests.map((text) => text.split("@")[1])).toContain(found.digest);
      expect(found.platforms.length).toBeGreaterThan(0);
    });

    test("create without the image is IMAGE_NOT_FOUND and leaves nothing", async () => {
      const request = harness.request("conf-no-image", { Command: ["true"] }, {});
      const create = engine.create({ ...request, image: "not-pulled:1" }, never);
      expect(await codeOf(create)).toBe("IMAGE_NOT_FOUND");
      expect(await within(engine.inspect("conf-no-image"))).toBeUndefined();
    });

    test("a command that does not exist is INVALID_SPEC and leaves nothing", async () => {
      const request = harness.request("conf-no-command", { Command: ["missing-command"] }, {});
      expect(await codeOf(engine.create(request, never))).toBe("INVALID_SPEC");
      expect(await within(engine.inspect("conf-no-command"))).toBeUndefined();
    });

    test("created, running, exited: each shown with the request's labels", async () => {
      const { id, labels } = await create({
        Command: ["sh", "-c", "trap 'exit 0' TERM; sleep 0.3; exit 4"],
      });
      expect(await within(engine.inspect(id))).toMatchObject({ state: "created", pid: 0, labels });
      const { pid } = await within(engine.start(id, never));
      expect(pid).toBeGreaterThan(0);
      expect(await within(engine.inspect(id))).toMatchObject({ state: "running", pid });
      await ended(id);
      const state = await within(engine.inspect(id));
      expect(state).toMatchObject({ state: "exited", pid: 0, labels });
      expect(state?.exit?.exitCode).toBe(4);
      expect((await within(engine.list())).filter((item) => item.id === id)).toHaveLength(1);
    });

    test("create and start of what is there already change nothing", async () => {
      const request = await create({ Command: ["sh", "-c", "while true; do sleep 0.2; done"] });
      await within(engine.create(request, never));
      const first = await within(engine.start(request.id, never));
      expect(await within(engine.start(request.id, never))).toEqual(first);
    });

    test.each([0, 1, 42, 255])("exit code %i is reported", async (code) => {
      const id = await run(`exit ${code}`);
      const exit = await ended(id);
      expect(exit).toMatchObject({ exitCode: code, isOomKilled: false });
      expect(exit.finishedAtMs).toBeGreaterThan(0);
      // A second wait answers at once with the same.
      expect(await ended(id)).toEqual(exit);
    });

    test("each end is told to subscribers once", async () => {
      const seen: EngineEvent[] = [];
      const unsubscribe = engine.subscribe((event) => seen.push(event));
      const id = await run("exit 5");
      await ended(id);
      await harness.pass(200);
      unsubscribe();
      const exits = seen.filter((event) => event.kind === "exit" && event.id === id);
      expect(exits).toMatchObject([{ exit: { exitCode: 5 } }]);
    });

    test("taking more memory than the limit is an OOM kill", async () => {
      const limits = { Limits: { MemoryBytes: 32 * 1024 * 1024 } };
      const id = await run("tail /dev/zero", limits);
      expect(await ended(id)).toMatchObject({ exitCode: 137, isOomKilled: true });
    });

    test("a plain SIGKILL is no OOM kill", async () => {
      const id = await run("while true; do sleep 0.2; done");
      await within(engine.kill(id, "SIGKILL"));
      expect(await ended(id)).toMatchObject({ exitCode: 137, isOomKilled: false });
    });

    test("limits are in force", async () => {
      const id = await run("while true; do sleep 0.2; done", {
        Limits: { MemoryBytes: 64 * 1024 * 1024, Pids: 50, NanoCPUs: 500_000_000 },
      });
      expect(await harness.limits(id)).toEqual({ memoryBytes: 64 * 1024 * 1024, pids: 50 });
    });

    test("stop: the container ends itself within its grace", async () => {
      const id = await run("trap 'exit 3' TERM; echo ready; while true; do sleep 0.05; done");
      await ready(id);
      const options = { signalName: "SIGTERM", graceMs: 10_000 };
      const exit = await within(engine.stop(id, options, never));
      expect(exit.exitCode).toBe(3);
    });

    test("stop: what ignores the signal is killed after its grace", async () => {
      const id = await run("trap '' TERM; echo ready; while true; do sleep 0.05; done");
      await ready(id);
      const options = { signalName: "TERM", graceMs: 400 };
      let isOver = false;
      const stopping = engine.stop(id, options, never).finally(() => {
        isOver = true;
      });
      await harness.pass(200);
      expect(isOver).toBe(false);
      expect((await within(stopping)).exitCode).toBe(137);
    });

    test("kill of an ended container is NOT_FOUND; a bad signal is INVALID_SPEC", async () => {
      const id = await run("exit 0");
      await ended(id);
      expect(await codeOf(engine.kill(id, "SIGTERM"))).toBe("NOT_FOUND");
      expect(await codeOf(engine.kill(id, "SIGNOTHING"))).toBe("INVALID_SPEC");
    });

    test("stdout and stderr go to their own files", async () => {
      const { id, stdoutPath, stderrPath } = await create({
        Command: ["sh", "-c", "echo to out; echo to err >&2; echo more out"],
      });
      await within(engine.start(id, never));
      await ended(id);
      await eventually(() => readFileSync(stdoutPath, "utf8").includes("more"));
      expect(readFileSync(stdoutPath, "utf8")).toBe("to out\nmore out\n");
      expect(readFileSync(stderrPath, "utf8")).toBe("to err\n");
    });

    test.each([
      { name: "healthy", command: "exit 0", exitCode: 0, output: "" },
      { name: "unhealthy", command: "echo sick; exit 1", exitCode: 1, output: "sick\n" },
    ])("exec tells $name by its exit code", async ({ command, exitCode, output }) => {
      const id = await run("while true; do sleep 0.2; done");
      const options = { timeoutMs: 10_000, signal: never };
      const result = await within(engine.exec(id, ["sh", "-c", command], options));
      expect(result).toEqual({ exitCode, output });
    });

    test("exec that takes too long is ended, with exit code −1", async () => {
      const id = await run("while true; do sleep 0.2; done");
      const options = { timeoutMs: 300, signal: never };
      const result = await within(engine.exec(id, ["sh", "-c", "echo begun; sleep 60"], options));
      expect(result.exitCode).toBe(-1);
      expect(result.output).toContain("begun");
    });

    test("exec of a missing program is exit code 127", async () => {
      const id = await run("while true; do sleep 0.2; done");
      const options = { timeoutMs: 10_000, signal: never };
      expect((await within(engine.exec(id, ["missing-command"], options))).exitCode).toBe(127);
    });

    test("remove ends what runs, and removing again is success", async () => {
      const id = await run("trap '' TERM; while true; do sleep 0.2; done");
      await within(engine.remove(id));
      expect(await within(engine.inspect(id))).toBeUndefined();
      await within(engine.remove(id));
      await within(engine.remove("never-existed"));
    });

    test("wait rejects NOT_FOUND for what never was, and with the reason when aborted", async () => {
      expect(await codeOf(engine.wait("never-existed", never))).toBe("NOT_FOUND");
      const id = await run("while true; do sleep 0.2; done");
      const reason = new Error("enough");
      await expect(engine.wait(id, AbortSignal.abort(reason))).rejects.toBe(reason);
    });

    test("an engine restart is told; containers go on, and waits with them", async () => {
      const staying = await run("while true; do sleep 0.2; done");
      const ending = await run("sleep 1; exit 33");
      const before = await within(engine.inspect(staying));
      const exit = engine.wait(ending, never);
      const seen: string[] = [];
      const unsubscribe = engine.subscribe(({ kind }) => seen.push(kind));
      await harness.restartEngine();
      await eventually(() => seen.includes("up"));
      unsubscribe();
      expect(seen.filter((kind) => kind !== "exit")).toEqual(["down", "up"]);
      expect(await within(engine.inspect(staying))).toEqual(before);
      expect((await within(exit)).exitCode).toBe(33);
    });

    test("a new engine takes up the containers of the one before", async () => {
      const staying = await run("trap 'exit 9' TERM; while true; do sleep 0.05; done");
      const ending = await run("sleep 0.3; exit 21");
      const ended0 = await run("exit 20");
      await ended(ended0);
      const before = await within(engine.inspect(staying));
      await engine[Symbol.asyncDispose]();
      await harness.pass(1000); // One of them ends while nobody looks.
      engine = await harness.reopen();
      expect(await within(engine.inspect(staying))).toEqual(before);
      expect((await ended(ended0)).exitCode).toBe(20);
      expect((await ended(ending)).exitCode).toBe(21);
      const options = { signalName: "SIGTERM", graceMs: 10_000 };
      expect((await within(engine.stop(staying, options, never))).exitCode).toBe(9);
    });

    /** The script has set its traps when it has said so. */
    async function ready(id: string): Promise<void> {
      const { stdoutPath } = harness.request(id, {}, {});
      await eventually(() => readFileSync(stdoutPath, "utf8").includes("ready"));
    }
  });
}
