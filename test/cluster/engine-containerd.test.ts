/** The engine on a real containerd: the conformance suite, and what only a real one can show. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContainerSpec } from "../../src/api/index.js";
import { SystemClock, SystemRandom, silentLogger } from "../../src/base/index.js";
import { describeEngine } from "../../src/worker/engine/engine-conformance.js";
import {
  type ContainerRequest,
  createContainerdEngine,
  type Engine,
} from "../../src/worker/engine/index.js";
import { FakeRegistry } from "../../src/worker/images/fake-registry.js";
import {
  buildImage,
  busyboxLayers,
  dockerArchive,
  type FixtureImage,
  ociLayout,
  packTar,
} from "../../src/worker/images/image-fixture.js";
import { ContainerdDaemon } from "./containerd-daemon.js";

const missing = ContainerdDaemon.missing();
if (missing !== undefined) console.warn(`engine-containerd.test.ts is skipped: it ${missing}`);

const never = new AbortController().signal;
const CGROUP_PARENT = `/swarm-test-${process.pid}`;

/** Removes the (empty) cgroups of the containers' parent. */
function removeCgroups(): void {
  const roots = ["", ...readdirSync("/sys/fs/cgroup")].map((name) => join("/sys/fs/cgroup", name));
  for (const root of roots)
    if (existsSync(join(root, CGROUP_PARENT))) rmdirSync(join(root, CGROUP_PARENT));
}

class Bench {
  readonly daemon = new ContainerdDaemon();
  readonly namespace: string;

  readonly runtime: "runc" | "crun";

  constructor(namespace: string, runtime: "runc" | "crun") {
    this.namespace = namespace;
    this.runtime = runtime;
  }

  async open(): Promise<Engine> {
    const engine = createContainerdEngine({
      address: this.daemon.socket,
      namespace: this.namespace,
      cgroupParent: CGROUP_PARENT,
      snapshotter: "overlayfs",
      tempDir: join(this.daemon.dir, "temp"),
      runtime: this.runtime,
      clock: new SystemClock(),
      random: new SystemRandom(),
      logger: silentLogger,
    });
    await engine.open(never);
    return engine;
  }

  request(
    id: string,
    image: string,
    spec: Partial<ContainerSpec>,
    more: Partial<ContainerRequest> = {},
  ): ContainerRequest {
    const logs = join(this.daemon.dir, "logs", id);
    const [stdoutPath, stderrPath] = [join(logs, "out"), join(logs, "err")];
    mkdirSync(logs, { recursive: true });
    for (const path of [stdoutPath, stderrPath]) if (!existsSync(path)) writeFileSync(path, "");
    return {
      id,
      name: `web.1.${id}`,
      image,
      spec: { Image: image, ...spec },
      resources: {},
      labels: { "com.docker.swarm.task.id": id, long: "x".repeat(10_000) },
      hostname: `host-${id}`,
      netnsPath: "",
      isHostNetwork: false,
      hostsPath: "",
      hostnamePath: "",
      resolvConfPath: "",
      extraMounts: [],
      stdoutPath,
      stderrPath,
      cgroupParent: "",
      ...more,
    };
  }
}

describe.skipIf(missing !== undefined).each(["runc", "crun"] as const)(
  "containerd with %s",
  (runtime) => {
    const conformance = new Bench("conformance", runtime);
    let open: FakeRegistry;
    let guarded: FakeRegistry;
    describeEngine(`containerd with ${runtime}`, {
      start: async () => {
        const layers = await busyboxLayers();
        const image = buildImage(layers, { Cmd: ["sh"] });
        open = await FakeRegistry.start();
        guarded = await FakeRegistry.start({ kind: "bearer", user: "u", password: "p" });
        open.push("team/demo", "1", image);
        guarded.push("team/demo", "1", image);
        await conformance.daemon.start();
        return conformance.open();
      },
      reopen: () => conformance.open(),
      restartEngine: async () => {
        await conformance.daemon.kill();
        await sleep(500);
        await conformance.daemon.start();
      },
      stop: async () => {
        await conformance.daemon.dispose();
        await open[Symbol.asyncDispose]();
        await guarded[Symbol.asyncDispose]();
      },
      pass: (ms) => sleep(ms),
      request: (id, spec, resources) =>
        conformance.request(id, `${open.host}/team/demo:1`, spec, { resources }),
      limits: (id) => Promise.resolve(readLimits(id)),
      images: {
        get good() {
          return `${open.host}/team/demo:1`;
        },
        get missing() {
          return `${open.host}/team/nothing:1`;
        },
        get private() {
          return `${guarded.host}/team/demo:1`;
        },
        credentials: { username: "u", password: "p" },
        wrongCredentials: { username: "u", password: "x" },
      },
    });

    afterAll(removeCgroups);

    describe("real containers", () => {
      const bench = new Bench("real", runtime);
      let engine: Engine;
      let layers: readonly Uint8Array[];
      let image: FixtureImage;
      let count = 0;

      beforeAll(async () => {
        await bench.daemon.start();
        engine = await bench.open();
        layers = await busyboxLayers();
        image = buildImage(layers, { Cmd: ["sh"], Env: ["FROM_IMAGE=1"] });
        const tar = await dockerArchive(layers, image, ["demo:1"]);
        expect(await engine.load(Readable.from([tar]), never)).toEqual(["demo:1"]);
      });
      afterAll(async () => {
        for (const { id } of await engine.list()) await engine.remove(id);
        await engine[Symbol.asyncDispose]();
        await bench.daemon.dispose();
      });

      async function output(
        script: string,
        spec: Partial<ContainerSpec> = {},
        more: Partial<ContainerRequest> = {},
      ): Promise<string> {
        const id = `c${++count}`;
        const command = { Command: ["sh", "-c", `${script}; echo END`] };
        const request = bench.request(id, "demo:1", { ...command, ...spec }, more);
        await engine.create(request, never);
        await engine.start(id, never);
        await engine.wait(id, never);
        for (let tries = 0; tries < 100; tries++) {
          const text = readFileSync(request.stdoutPath, "utf8");
          if (text.includes("END")) {
            await engine.remove(id);
            return text.replace(/END\r?\n$/, "").trim();
          }
          await sleep(20);
        }
        throw new Error(`no output: ${readFileSync(request.stderrPath, "utf8")}`);
      }

      const rows: readonly {
        readonly name: string;
        readonly script: string;
        readonly spec?: Partial<ContainerSpec>;
        readonly more?: Partial<ContainerRequest>;
        readonly want: string | RegExp;
      }[] = [
        {
          name: "a user name brings its groups and drops capabilities",
          script: "id; grep CapEff /proc/self/status",
          spec: { User: "web", Groups: ["ops"] },
          want: /^uid=1000\(web\) gid=1001\(web\) groups=1001\(web\),1002\(extra\),2000\(ops\)\nCapEff:\s+0+$/,
        },
        {
          name: "whiteouts of upper layers hold",
          script: "test -e /removed-above && echo there || echo gone",
          want: "gone",
        },
        {
          name: "root has the 14 default capabilities, and seccomp is on",
          script: "grep -E 'CapEff|Seccomp:' /proc/self/status",
          want: /CapEff:\s+00000000a80425fb\nSeccomp:\s+2/,
        },
        {
          name: "capabilities are added and dropped",
          script: "grep CapEff /proc/self/status",
          spec: { CapabilityDrop: ["ALL"], CapabilityAdd: ["NET_ADMIN"] },
          want: /CapEff:\s+0000000000001000/,
        },
        {
          name: "seccomp can be turned off",
          script: "grep Seccomp: /proc/self/status",
          spec: { Privileges: { Seccomp: { Mode: "unconfined" } } },
          want: /Seccomp:\s+0/,
        },
        {
          name: "a custom seccomp profile is obeyed",
          script: "mkdir /x 2>/dev/null && echo made || echo refused",
          spec: {
            Privileges: {
              Seccomp: {
                Mode: "custom",
                Profile: Buffer.from(
                  JSON.stringify({
                    defaultAction: "SCMP_ACT_ALLOW",
                    syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }],
                  }),
                ).toString("base64"),
              },
            },
          },
          want: "refused",
        },
        {
          name: "new namespaces are refused by the default filter",
          script:
            "unshare 2>/dev/null; busybox unshare -n true 2>/dev/null && echo made || echo refused",
          want: "refused",
        },
        {
          name: "no new privileges",
          script: "grep NoNewPrivs /proc/self/status",
          spec: { Privileges: { NoNewPrivileges: true } },
          want: /NoNewPrivs:\s+1/,
        },
        {
          name: "a read-only root still has its tmpfs",
          script:
            "touch /x 2>/dev/null || echo read-only; touch /t/x && mount | grep -c ' /t .*size=980k,mode=700'",
          spec: {
            ReadOnly: true,
            Mounts: [
              { Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 1_000_000, Mode: 0o700 } },
            ],
          },
          want: "read-only\n1",
        },
        {
          name: "limits of files, also unlimited ones",
          script: "ulimit -n; ulimit -c",
          spec: {
            Ulimits: [
              { Name: "nofile", Soft: 100, Hard: 200 },
              { Name: "core", Soft: -1, Hard: -1 },
            ],
          },
          want: "100\nunlimited",
        },
        {
          name: "sysctls",
          script:
            "cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_unprivileged_port_start",
          spec: { Sysctls: { "kernel.shm_rmid_forced": "1" } },
          want: "1\n0",
        },
        {
          name: "environment, host name and a working directory made on the way",
          script: "echo $FROM_IMAGE $OWN $HOSTNAME; hostname; pwd",
          spec: { Env: ["OWN=2"], Dir: "/made/here" },
          more: { hostname: "h1" },
          want: "1 2 h1\nh1\n/made/here",
        },
        {
          name: "a terminal joins both streams",
          script: "test -t 1 && echo tty; echo err >&2",
          spec: { TTY: true },
          want: "tty\r\nerr",
        },
        {
          name: "oom score",
          script: "cat /proc/self/oom_score_adj",
          spec: { OomScoreAdj: 300 },
          want: "300",
        },
      ];
      test.each(rows)("$name", async ({ script, spec, more, want }) => {
        expect(await output(script, spec, more)).toEqual(
          typeof want === "string" ? want : expect.stringMatching(want),
        );
      });

      test("the program made of a seccomp profile filters the next container with it as it did the first", async () => {
        const profile = {
          defaultAction: "SCMP_ACT_ALLOW",
          syscalls: [{ names: ["rmdir"], action: "SCMP_ACT_ERRNO" }],
        };
        const Profile = Buffer.from(JSON.stringify(profile)).toString("base64");
        const spec = { Privileges: { Seccomp: { Mode: "custom", Profile } } } as const;
        const script = "mkdir /x && { rmdir /x 2>/dev/null && echo removed || echo refused; }";
        expect(await output(script, spec)).toBe("refused");
        expect(await output(script, spec)).toBe("refused");
        const [id, command] = ["filtered", { Command: ["sleep", "60"] }];
        await engine.create(bench.request(id, "demo:1", { ...command, ...spec }), never);
        const config = join("/run/containerd/runc", bench.namespace, id, "config.json");
        // Only crun keeps it there, and is handed the program; a runc needs none of it.
        if (runtime === "crun")
          expect(readFileSync(config, "utf8")).toContain("run.oci.seccomp_bpf_data");
        await engine.remove(id);
      });

      test("bind mounts: files of the agent, a read-only tree, a volume with first contents", async () => {
        const dir = join(bench.daemon.dir, "mounts");
        for (const name of ["tree", "volume"]) mkdirSync(join(dir, name), { recursive: true });
        writeFileSync(join(dir, "hosts"), "10.0.0.9 other\n");
        writeFileSync(join(dir, "tree", "file"), "from host\n");
        const text = await output(
          "cat /etc/hosts /tree/file /data/seed; touch /tree/x 2>/dev/null || echo read-only; echo new > /data/new",
          {
            Mounts: [{ Type: "bind", Source: join(dir, "tree"), Target: "/tree", ReadOnly: true }],
          },
          {
            hostsPath: join(dir, "hosts"),
            extraMounts: [
              {
                source: join(dir, "volume"),
                target: "/data",
                isReadOnly: false,
                isCopyUp: true,
              },
            ],
          },
        );
        expect(text).toBe("10.0.0.9 other\nfrom host\nseed\nread-only");
        expect(readFileSync(join(dir, "volume", "new"), "utf8")).toBe("new\n");
      });

      describe("a new volume", () => {
        const volume = (
          name: string,
          target: string,
          isCopyUp = true,
        ): { dir: string; more: Partial<ContainerRequest> } => {
          const dir = join(bench.daemon.dir, "volumes", name, "_data");
          mkdirSync(dir, { recursive: true, mode: 0o755 });
          return {
            dir,
            more: { extraMounts: [{ source: dir, target, isReadOnly: false, isCopyUp }] },
          };
        };
        const look = "stat -c '%u %g %a' /data /data/own 2>/dev/null";

        test("starts with the image's files, owners and modes, and keeps what it has", async () => {
          const { dir, more } = volume("kept", "/data");
          expect(await output(`${look}; busybox rm /data/seed`, {}, more)).toBe(
            "1000 1001 750\n1000 1001 600",
          );
          expect(await output("ls /data", {}, more)).toBe("own");
          expect(readdirSync(join(dir, ".."))).toEqual(["_data"]);
        });

        test("stays empty where the service asks for no copy", async () => {
          const { more } = volume("no-copy", "/data", false);
          expect(await output(look, {}, more)).toBe("0 0 755");
        });

        test("is filled once by containers that begin together", async () => {
          const { more } = volume("shared", "/data");
          const seen = await Promise.all([1, 2, 3].map(() => output("cat /data/seed", {}, more)));
          expect(seen).toEqual(["seed", "seed", "seed"]);
        });

        test("over a file of the image is refused", async () => {
          const { more } = volume("over-file", "/etc/group");
          const request = bench.request("over-file", "demo:1", { Command: ["true"] }, more);
          await expect(engine.create(request, never)).rejects.toMatchObject({
            code: "INVALID_SPEC",
            message: "cannot mount volume over existing file, file exists /etc/group",
          });
        });
      });

      test.each([
        {
          name: "a missing bind source",
          spec: { Mounts: [{ Type: "bind", Source: "/no/such/dir", Target: "/x" }] },
          text: "bind source path does not exist: /no/such/dir",
        },
        { name: "an unknown user", spec: { User: "nobody" }, text: "unable to find user nobody" },
        {
          name: "an unknown capability",
          spec: { CapabilityAdd: ["CAP_FLY"] },
          text: 'ContainerSpec.CapabilityAdd: "CAP_FLY"',
        },
        {
          name: "a host-wide sysctl",
          spec: { Sysctls: { "vm.swappiness": "1" } },
          text: "vm.swappiness",
        },
      ] as const)("$name is INVALID_SPEC, named, and leaves nothing", async ({ spec, text }) => {
        const request = bench.request(`bad${++count}`, "demo:1", { Command: ["true"], ...spec });
        await expect(engine.create(request, never)).rejects.toMatchObject({
          code: "INVALID_SPEC",
          message: expect.stringContaining(text),
        });
        expect(await engine.inspect(request.id)).toBeUndefined();
      });

      test("open stdin without a terminal stays open", async () => {
        const request = bench.request("stdin", "demo:1", { Command: ["cat"], OpenStdin: true });
        await engine.create(request, never);
        await engine.start("stdin", never);
        await sleep(300);
        expect((await engine.inspect("stdin"))?.state).toBe("running");
        await engine.remove("stdin");
      });

      test("exec output is cut at 4 KiB without stopping the command", async () => {
        await engine.create(bench.request("noisy", "demo:1", { Command: ["sleep", "100"] }), never);
        await engine.start("noisy", never);
        const command = ["sh", "-c", "yes | head -c 3000000; exit 6"];
        const result = await engine.exec("noisy", command, { timeoutMs: 20_000, signal: never });
        expect(result.exitCode).toBe(6);
        expect(result.output).toHaveLength(4096);
      });

      test("an OCI layout loads under its annotated name and carries the same id", async () => {
        const name = { "io.containerd.image.name": "docker.io/library/again:2" };
        const tar = await ociLayout(image, name);
        expect(await engine.load(Readable.from([tar]), never)).toEqual(["again:2"]);
        const [again, demo] = [await engine.image("again:2"), await engine.image("demo:1")];
        expect(again?.id).toBe(demo?.id);
        expect(again?.tags).toEqual(["again:2", "demo:1"]);
        expect(await engine.image(again?.id.slice(7, 19) ?? "")).toEqual(again);
      });

      test("a damaged archive is refused and nothing stays", async () => {
        const tar = Buffer.from(await ociLayout(image, {}));
        const before = await engine.images();
        await expect(
          engine.load(Readable.from([tar.subarray(0, tar.length / 2)]), never),
        ).rejects.toMatchObject({ name: "EngineError" });
        expect(await engine.images()).toEqual(before);
      });

      test("a pull that breaks off resumes at the byte where it was", async () => {
        await using registry = await FakeRegistry.start();
        const noise = Buffer.from(new SystemRandom().bytes(6 * 1024 * 1024));
        const big = buildImage([await packTar([{ path: "noise", text: noise }])]);
        registry.push("big", "1", big);
        const blob = big.layers[0]?.digest ?? "";
        const bytes = big.blobs.get(blob) ?? new Uint8Array();
        const ranges: string[] = [];
        let cuts = 0;
        registry.fault = (request, response) => {
          if (request.url?.endsWith(blob) !== true) return false;
          ranges.push(request.headers.range ?? "");
          if (cuts++ > 0) return false;
          response.writeHead(200, { "content-length": bytes.length });
          // Closed politely: a reset would throw away what is still on its way.
          response.write(bytes.subarray(0, 3 * 1024 * 1024), () => response.socket?.end());
          return true;
        };
        const options = { auth: undefined, signal: never };
        await engine.pull(`${registry.host}/big:1`, options);
        expect(ranges).toHaveLength(2);
        expect(ranges[1]).toBe(`bytes=${3 * 1024 * 1024}-`);
      });

      test("a damaged blob is refused", async () => {
        await using registry = await FakeRegistry.start();
        registry.push("bad", "1", image);
        const blob = image.layers[1]?.digest ?? "";
        const bad = buildImage([await packTar([{ path: "other", text: "y".repeat(5000) }])]);
        registry.push("bad", "2", bad);
        const target = bad.layers[0];
        registry.fault = (request, response) => {
          if (request.url?.endsWith(target?.digest ?? blob) !== true) return false;
          response.writeHead(200).end(Buffer.alloc(target?.sizeBytes ?? 0));
          return true;
        };
        await expect(
          engine.pull(`${registry.host}/bad:2`, { auth: undefined, signal: never }),
        ).rejects.toMatchObject({ code: "FAILED", message: expect.stringContaining("damaged") });
        expect(await engine.image(`${registry.host}/bad:2`)).toBeUndefined();
      });

      test("an image a container uses is not removed; a removed one is gone from the disk", async () => {
        await expect(engine.removeImage(image.configDigest)).rejects.toMatchObject({
          code: "FAILED",
          message: expect.stringContaining("noisy"),
        });
        await engine.remove("noisy");
        const gone = await engine.removeImage(image.configDigest);
        expect(gone).toContain(image.configDigest);
        expect(await engine.image("demo:1")).toBeUndefined();
      });

      test("without a daemon, open says which socket and what to do", async () => {
        const nowhere = createContainerdEngine({
          address: "/nowhere/containerd.sock",
          namespace: "x",
          cgroupParent: CGROUP_PARENT,
          snapshotter: "overlayfs",
          clock: new SystemClock(),
          random: new SystemRandom(),
          logger: silentLogger,
        });
        await expect(nowhere.open(never)).rejects.toMatchObject({
          code: "ENGINE_DOWN",
          message: expect.stringMatching(/\/nowhere\/containerd\.sock.*start it/),
        });
        await nowhere[Symbol.asyncDispose]();
      });
    });
  },
);

function readLimits(id: string): { memoryBytes: number; pids: number } {
  const isV2 = existsSync("/sys/fs/cgroup/cgroup.controllers");
  const read = (controller: string, v1: string, v2: string): number => {
    const dir = isV2 ? "/sys/fs/cgroup" : `/sys/fs/cgroup/${controller}`;
    return Number(readFileSync(`${dir}${CGROUP_PARENT}/${id}/${isV2 ? v2 : v1}`, "utf8"));
  };
  return {
    memoryBytes: read("memory", "memory.limit_in_bytes", "memory.max"),
    pids: read("pids", "pids.max", "pids.max"),
  };
}
