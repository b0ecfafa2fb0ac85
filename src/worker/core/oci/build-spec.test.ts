import { describe, expect, test } from "vitest";
import type { ContainerSpec, ResourceRequirements } from "../../../api/index.js";
import type { ContainerRequest } from "../../engine/index.js";
import { buildSpec } from "./build-spec.js";
import { encodeSpec } from "./encode.js";
import type { HostFacts, OciSpec } from "./types.js";

const MIB = 1024 * 1024;
const HOST: HostFacts = {
  architecture: "amd64",
  kernel: { major: 6, minor: 1 },
  cgroupVersion: 1,
  hasSwapAccounting: true,
  lastCapability: 40,
  initPath: "/usr/bin/docker-init",
  appArmor: undefined,
};
const ROOT = { uid: 0, gid: 0, additionalGids: [0] };

function build(
  spec: Partial<ContainerSpec> = {},
  more: {
    readonly request?: Partial<ContainerRequest>;
    readonly host?: Partial<HostFacts>;
    readonly resources?: ResourceRequirements;
    readonly user?: typeof ROOT;
  } = {},
): OciSpec {
  const request: ContainerRequest = {
    id: "task1",
    name: "web.1.task1",
    image: "i",
    spec: { Image: "i", Command: ["run"], ...spec },
    resources: more.resources ?? {},
    labels: {},
    hostname: "h",
    netnsPath: "/run/netns/n",
    isHostNetwork: false,
    hostsPath: "/agent/hosts",
    hostnamePath: "/agent/hostname",
    resolvConfPath: "/agent/resolv.conf",
    extraMounts: [],
    stdoutPath: "/o",
    stderrPath: "/e",
    cgroupParent: "/swarm/node",
    ...more.request,
  };
  return buildSpec(request, {}, more.user ?? ROOT, { ...HOST, ...more.host });
}

const mountAt = (spec: OciSpec, path: string) =>
  spec.mounts.filter(({ destination }) => destination === path);

describe("what every container gets", () => {
  test("namespaces, cgroup, masked paths, device rules", () => {
    const { linux, hostname, root } = build();
    expect(linux.namespaces).toContainEqual({ type: "network", path: "/run/netns/n" });
    expect(linux.namespaces.map(({ type }) => type)).toEqual([
      "mount",
      "uts",
      "pid",
      "ipc",
      "network",
    ]);
    expect(linux.cgroupsPath).toBe("/swarm/node/task1");
    expect(linux.maskedPaths).toContain("/proc/kcore");
    expect(linux.readonlyPaths).toContain("/proc/sys");
    expect(linux.resources.devices[0]).toEqual({ allow: false, access: "rwm" });
    expect([hostname, root.readonly]).toEqual(["h", false]);
  });

  test("on cgroup v2 also a cgroup namespace", () => {
    expect(build({}, { host: { cgroupVersion: 2 } }).linux.namespaces).toContainEqual({
      type: "cgroup",
    });
  });

  test("the agent's files over hosts, hostname and resolv.conf; empty paths are left out", () => {
    expect(mountAt(build(), "/etc/hosts")[0]?.source).toBe("/agent/hosts");
    expect(mountAt(build({}, { request: { hostsPath: "" } }), "/etc/hosts")).toEqual([]);
  });

  test("a process that is not root holds no capabilities, but the bound stays", () => {
    const { capabilities } = build({}, { user: { uid: 5, gid: 5, additionalGids: [5] } }).process;
    expect(capabilities.effective).toEqual([]);
    expect(capabilities.bounding).toHaveLength(14);
  });

  test("low ports and ping are open to users, but never on the host's network", () => {
    expect(build().linux.sysctl["net.ipv4.ip_unprivileged_port_start"]).toBe("0");
    expect(build({}, { request: { isHostNetwork: true } }).linux.sysctl).toEqual({});
  });
});

describe("resources", () => {
  const limits = (Limits: object, more: object = {}): ResourceRequirements => ({ Limits, ...more });
  test.each([
    {
      name: "half a CPU",
      resources: limits({ NanoCPUs: 5e8 }),
      want: { cpu: { quota: 50_000, period: 100_000 } },
    },
    { name: "pids", resources: limits({ Pids: 7 }), want: { pids: { limit: 7 } } },
    {
      name: "memory brings as much swap",
      resources: limits({ MemoryBytes: 8 * MIB }),
      want: { memory: { limit: 8 * MIB, swap: 16 * MIB } },
    },
    {
      name: "own swap counts on top of memory",
      resources: limits({ MemoryBytes: 8 * MIB }, { SwapBytes: MIB }),
      want: { memory: { limit: 8 * MIB, swap: 9 * MIB } },
    },
    {
      name: "swap without bound",
      resources: limits({ MemoryBytes: 8 * MIB }, { SwapBytes: -1 }),
      want: { memory: { limit: 8 * MIB, swap: -1 } },
    },
    { name: "swappiness", resources: { MemorySwappiness: 0 }, want: { memory: { swappiness: 0 } } },
  ])("$name", ({ resources, want }) => {
    const { devices: _devices, ...rest } = build({}, { resources }).linux.resources;
    expect(rest).toEqual(want);
  });

  test("reservations steer placement only", () => {
    const { devices: _devices, ...rest } = build(
      {},
      { resources: { Reservations: { MemoryBytes: MIB } } },
    ).linux.resources;
    expect(rest).toEqual({});
  });

  test("a kernel without swap accounting gets no swap value", () => {
    const resources = limits({ MemoryBytes: 8 * MIB });
    expect(
      build({}, { resources, host: { hasSwapAccounting: false } }).linux.resources.memory,
    ).toEqual({ limit: 8 * MIB });
  });

  test.each([
    { name: "too little memory", resources: limits({ MemoryBytes: 1 }), text: "at least 4 MiB" },
    { name: "too little CPU", resources: limits({ NanoCPUs: 1000 }), text: "NanoCPUs" },
    {
      name: "swap without memory",
      resources: { SwapBytes: 1 },
      text: "needs Resources.Limits.MemoryBytes",
    },
    {
      name: "swappiness on v2",
      resources: { MemorySwappiness: 5 },
      host: { cgroupVersion: 2 as const },
      text: "leave it out",
    },
    {
      name: "swap that is not accounted",
      resources: limits({ MemoryBytes: 8 * MIB }, { SwapBytes: 1 }),
      host: { hasSwapAccounting: false },
      text: "swapaccount=1",
    },
  ])("refuses $name", ({ resources, host, text }) => {
    expect(() => build({}, { resources, ...(host === undefined ? {} : { host }) })).toThrow(text);
  });
});

describe("mounts", () => {
  test("shallow before deep, whatever the order asked", () => {
    const targets = build({
      Mounts: [
        { Type: "tmpfs", Target: "/a/b/c" },
        { Type: "tmpfs", Target: "/a" },
      ],
    }).mounts.map(({ destination }) => destination);
    expect(targets.indexOf("/a")).toBeLessThan(targets.indexOf("/a/b/c"));
    expect(targets.indexOf("/proc")).toBeLessThan(targets.indexOf("/sys/fs/cgroup"));
  });

  test("a user's mount takes the place of ours", () => {
    const spec = build({ Mounts: [{ Type: "tmpfs", Target: "/dev//shm/" }] });
    expect(mountAt(spec, "/dev/shm")).toMatchObject([{ source: "tmpfs" }]);
  });

  test.each([
    { name: "plain bind", mount: {}, want: ["rbind", "rw", "rprivate"] },
    {
      name: "read-only goes deep where the kernel can",
      mount: { ReadOnly: true },
      want: ["rbind", "ro", "rro", "rprivate"],
    },
    {
      name: "read-only at the top only",
      mount: { ReadOnly: true, BindOptions: { ReadOnlyNonRecursive: true } },
      want: ["rbind", "ro", "rprivate"],
    },
    {
      name: "propagation and no recursion",
      mount: { BindOptions: { Propagation: "rslave", NonRecursive: true } },
      want: ["bind", "rw", "rslave"],
    },
  ])("$name", ({ mount, want }) => {
    const spec = build({ Mounts: [{ Type: "bind", Source: "/s", Target: "/t", ...mount }] });
    expect(mountAt(spec, "/t")[0]?.options).toEqual(want);
  });

  test("tmpfs options", () => {
    const TmpfsOptions = { SizeBytes: 1000, Mode: 0o1770, Options: [["exec"]] };
    const spec = build({ Mounts: [{ Type: "tmpfs", Target: "/t", TmpfsOptions }] });
    expect(mountAt(spec, "/t")[0]?.options).toEqual([
      "exec",
      "nosuid",
      "nodev",
      "rprivate",
      "size=1000",
      "mode=1770",
    ]);
  });

  test("volumes come from the agent, and only once", () => {
    const request = { extraMounts: [{ source: "/vol", target: "/data", isReadOnly: true }] };
    const spec = build({ Mounts: [{ Type: "volume", Source: "v", Target: "/data" }] }, { request });
    expect(mountAt(spec, "/data")).toEqual([
      { destination: "/data", type: "bind", source: "/vol", options: ["rbind", "ro", "rprivate"] },
    ]);
  });

  const bind = { Type: "bind", Source: "/s", Target: "/t" } as const;
  test.each([
    {
      name: "two at one place",
      mounts: [bind, { ...bind, Target: "/t/" }],
      text: "Duplicate mount point: /t",
    },
    { name: "a relative source", mounts: [{ ...bind, Source: "s" }], text: "must be absolute" },
    { name: "a relative target", mounts: [{ ...bind, Target: "t" }], text: "absolute" },
    { name: "the root as target", mounts: [{ ...bind, Target: "/.." }], text: "root directory" },
    {
      name: "an unknown propagation",
      mounts: [{ ...bind, BindOptions: { Propagation: "x" } }],
      text: "propagation",
    },
    {
      name: "a type of other systems",
      mounts: [{ ...bind, Type: "npipe" as const }],
      text: "npipe",
    },
    {
      name: "a tmpfs option that could break out",
      mounts: [{ Type: "tmpfs" as const, Target: "/t", TmpfsOptions: { Options: [["suid"]] } }],
      text: '"suid" not allowed',
    },
  ])("refuses $name", ({ mounts, text }) => {
    expect(() => build({ Mounts: mounts })).toThrow(text);
  });
});

describe("process", () => {
  test("an init runs before the command", () => {
    const spec = build({ Init: true });
    expect(spec.process.args).toEqual(["/sbin/docker-init", "--", "run"]);
    expect(mountAt(spec, "/sbin/docker-init")[0]?.options).toContain("ro");
  });

  test("unlimited limits survive JSON as 2^64 − 1", () => {
    const spec = build({ Ulimits: [{ Name: "core", Soft: -1, Hard: -1 }] });
    expect(encodeSpec(spec)).toContain('"soft":18446744073709551615');
  });

  test("AppArmor: off where the host has none, the loaded profile where it has", () => {
    expect(build().process.apparmorProfile).toBeUndefined();
    const host = { appArmor: { profile: "docker-default" } };
    expect(build({}, { host }).process.apparmorProfile).toBe("docker-default");
    const disabled = build({ Privileges: { AppArmor: { Mode: "disabled" } } }, { host });
    expect(disabled.process.apparmorProfile).toBe("unconfined");
  });

  test.each([
    {
      name: "init without a program for it",
      spec: { Init: true },
      host: { initPath: undefined },
      text: "install docker-init",
    },
    {
      name: "an unknown ulimit",
      spec: { Ulimits: [{ Name: "x", Soft: 1, Hard: 1 }] },
      text: 'unknown limit "x"',
    },
    {
      name: "soft above hard",
      spec: { Ulimits: [{ Name: "nofile", Soft: 9, Hard: 1 }] },
      text: "above hard limit",
    },
    { name: "a host-wide sysctl", spec: { Sysctls: { "vm.x": "1" } }, text: "vm.x" },
    { name: "an OOM score out of range", spec: { OomScoreAdj: 2000 }, text: "OomScoreAdj" },
    { name: "Windows isolation", spec: { Isolation: "hyperv" }, text: "Windows" },
    {
      name: "SELinux labels",
      spec: { Privileges: { SELinuxContext: { Type: "x" } } },
      text: "SELinux",
    },
    { name: "NUL in an argument", spec: { Command: ["a\0b"] }, text: "NUL" },
    {
      name: "AppArmor that is not loaded",
      spec: { Privileges: { AppArmor: { Mode: "default" as const } } },
      host: { appArmor: { profile: undefined } },
      text: "apparmor_parser",
    },
  ])("refuses $name", ({ spec, host, text }) => {
    expect(() => encodeSpec(build(spec, host === undefined ? {} : { host }))).toThrow(text);
  });

  test("a network sysctl is refused on the host's network", () => {
    const request = { isHostNetwork: true };
    expect(() => build({ Sysctls: { "net.ipv4.ip_forward": "1" } }, { request })).toThrow(
      "host network",
    );
  });
});
