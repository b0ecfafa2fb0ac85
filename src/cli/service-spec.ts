/** Flags of `service create` and `service update` as edits of a service spec. Words and meanings are docker's. */
import { type JsonObject, listAt, objectAt, stringsAt } from "./json.js";
import { MODE_FLAGS } from "./mode-flags.js";
import { parseMount } from "./mount.js";
import { parseNetwork } from "./network-spec.js";
import { parsePublish } from "./publish.js";
import {
  oneOf,
  parseBytes,
  parseCount,
  parseCpus,
  parseDuration,
  parseRatio,
  UsageError,
} from "./units.js";

type Edit = (spec: JsonObject, value: string) => void;

/** A flag with one value. */
export type ValueFlag = { readonly flag: string; readonly help: string; readonly edit: Edit };
/** A flag that may be repeated; on update it is split into --X-add and --X-rm. */
export type ListFlag = {
  readonly flag: string;
  readonly help: string;
  readonly add: Edit;
  readonly remove: Edit;
};

const container = (spec: JsonObject): JsonObject => objectAt(spec, "TaskTemplate", "ContainerSpec");
const endpoint = (spec: JsonObject): JsonObject => objectAt(spec, "EndpointSpec");
const task = (spec: JsonObject): JsonObject => objectAt(spec, "TaskTemplate");

function set<T>(
  where: (spec: JsonObject) => JsonObject,
  key: string,
  parse: (text: string) => T,
): Edit {
  return (spec, value) => {
    where(spec)[key] = parse(value);
  };
}

const text = (value: string): string => value;
const flagOn = (value: string): boolean => value !== "false";

const limits = (spec: JsonObject): JsonObject =>
  objectAt(spec, "TaskTemplate", "Resources", "Limits");
const reservations = (spec: JsonObject): JsonObject =>
  objectAt(spec, "TaskTemplate", "Resources", "Reservations");
const restart = (spec: JsonObject): JsonObject => objectAt(spec, "TaskTemplate", "RestartPolicy");
const health = (spec: JsonObject): JsonObject =>
  objectAt(spec, "TaskTemplate", "ContainerSpec", "Healthcheck");
const dns = (spec: JsonObject): JsonObject =>
  objectAt(spec, "TaskTemplate", "ContainerSpec", "DNSConfig");
const placement = (spec: JsonObject): JsonObject => objectAt(spec, "TaskTemplate", "Placement");

/** An update or rollback config that is present needs its parallelism: absent would mean "all at once". */
function rollout(key: "UpdateConfig" | "RollbackConfig"): (spec: JsonObject) => JsonObject {
  return (spec) => {
    const config = objectAt(spec, key);
    config["Parallelism"] ??= 1;
    return config;
  };
}

function rolloutFlags(prefix: "update" | "rollback", actions: readonly string[]): ValueFlag[] {
  const where = rollout(prefix === "update" ? "UpdateConfig" : "RollbackConfig");
  const of = (
    name: string,
    key: string,
    parse: (value: string) => unknown,
    help: string,
  ): ValueFlag => ({
    flag: `--${prefix}-${name} <value>`,
    help,
    edit: set(where, key, parse),
  });
  return [
    of(
      "parallelism",
      "Parallelism",
      parseCount,
      `tasks ${prefix === "update" ? "updated" : "rolled back"} at the same time (0: all at once)`,
    ),
    of("delay", "Delay", parseDuration, `pause between ${prefix}s`),
    of(
      "monitor",
      "Monitor",
      parseDuration,
      "how long a task is watched for failure after it started",
    ),
    of("failure-action", "FailureAction", oneOf(...actions), `on failure: ${actions.join(", ")}`),
    of(
      "max-failure-ratio",
      "MaxFailureRatio",
      parseRatio,
      "share of failed tasks that is tolerated",
    ),
    of(
      "progress-deadline",
      "ProgressDeadline",
      parseDuration,
      "a task that does not run after this time has failed (default 10m)",
    ),
    of("order", "Order", oneOf("start-first", "stop-first"), "start-first or stop-first"),
  ];
}

export const VALUE_FLAGS: readonly ValueFlag[] = [
  ...MODE_FLAGS,
  {
    flag: "--replicas-max-per-node <count>",
    help: "most tasks per node (0: no limit)",
    edit: set(placement, "MaxReplicas", parseCount),
  },
  { flag: "--limit-cpu <cpus>", help: "limit CPUs", edit: set(limits, "NanoCPUs", parseCpus) },
  {
    flag: "--limit-memory <bytes>",
    help: "limit memory",
    edit: set(limits, "MemoryBytes", parseBytes),
  },
  { flag: "--limit-pids <count>", help: "limit processes", edit: set(limits, "Pids", parseCount) },
  {
    flag: "--reserve-cpu <cpus>",
    help: "reserve CPUs",
    edit: set(reservations, "NanoCPUs", parseCpus),
  },
  {
    flag: "--reserve-memory <bytes>",
    help: "reserve memory",
    edit: set(reservations, "MemoryBytes", parseBytes),
  },
  {
    flag: "--restart-condition <condition>",
    help: "restart when: none, on-failure, any",
    edit: set(restart, "Condition", oneOf("none", "on-failure", "any")),
  },
  {
    flag: "--restart-delay <duration>",
    help: "wait before a restart",
    edit: set(restart, "Delay", parseDuration),
  },
  {
    flag: "--restart-max-attempts <count>",
    help: "most restarts before giving up",
    edit: set(restart, "MaxAttempts", parseCount),
  },
  {
    flag: "--restart-window <duration>",
    help: "window in which restarts are counted",
    edit: set(restart, "Window", parseDuration),
  },
  ...rolloutFlags("update", ["pause", "continue", "rollback"]),
  ...rolloutFlags("rollback", ["pause", "continue"]),
  {
    flag: "--rebalance <mode>",
    help: "move tasks to emptier nodes: off, manual (service rebalance), auto (also by itself)",
    edit: set((spec) => spec, "Rebalance", oneOf("off", "manual", "auto")),
  },
  {
    flag: "--stop-grace-period <duration>",
    help: "time between the stop signal and the kill",
    edit: set(container, "StopGracePeriod", parseDuration),
  },
  {
    flag: "--stop-signal <signal>",
    help: "signal that stops the container",
    edit: set(container, "StopSignal", text),
  },
  {
    flag: "--endpoint-mode <mode>",
    help: "vip or dnsrr",
    edit: set(endpoint, "Mode", oneOf("vip", "dnsrr")),
  },
  {
    flag: "--endpoint-opt <option>",
    help: "local=prefer: published ports lead to tasks on the same node, while there are any; local=spread: to all",
    edit: (spec, value) => {
      const [, local] = /^local=(prefer|spread)$/.exec(value) ?? [];
      if (local === undefined)
        throw new UsageError(`--endpoint-opt ${value}: local=prefer or local=spread`);
      objectAt(endpoint(spec), "Options")["local"] = local;
    },
  },
  {
    flag: "--drain-time <duration>",
    help: "longest wait for open connections before the stop signal (default 2s; 0s: none)",
    edit: set(endpoint, "DrainTime", parseDuration),
  },
  {
    flag: "--entrypoint <command>",
    help: "overwrite the image's entrypoint",
    edit: set(container, "Command", splitWords),
  },
  {
    flag: "-u, --user <user>",
    help: "user[:group] or uid[:gid]",
    edit: set(container, "User", text),
  },
  {
    flag: "-w, --workdir <dir>",
    help: "working directory in the container",
    edit: set(container, "Dir", text),
  },
  {
    flag: "--hostname <name>",
    help: "container host name",
    edit: set(container, "Hostname", text),
  },
  {
    flag: "--health-cmd <command>",
    help: "command that checks health",
    edit: set(health, "Test", (value) => ["CMD-SHELL", value]),
  },
  {
    flag: "--health-interval <duration>",
    help: "time between checks",
    edit: set(health, "Interval", parseDuration),
  },
  {
    flag: "--health-timeout <duration>",
    help: "longest time of one check",
    edit: set(health, "Timeout", parseDuration),
  },
  {
    flag: "--health-retries <count>",
    help: "failures in a row until unhealthy",
    edit: set(health, "Retries", parseCount),
  },
  {
    flag: "--health-start-period <duration>",
    help: "start-up time without counting failures",
    edit: set(health, "StartPeriod", parseDuration),
  },
  {
    flag: "--health-start-interval <duration>",
    help: "time between checks during start-up",
    edit: set(health, "StartInterval", parseDuration),
  },
  {
    flag: "--log-driver <driver>",
    help: "logging driver",
    edit: set((spec) => objectAt(spec, "TaskTemplate", "LogDriver"), "Name", text),
  },
  {
    flag: "--oom-score-adj <number>",
    help: "out-of-memory preference",
    edit: set(container, "OomScoreAdj", parseRatio),
  },
];

/** Flags without a value. */
export const SWITCHES: readonly ValueFlag[] = [
  {
    flag: "--init",
    help: "run an init process that reaps and forwards signals",
    edit: set(container, "Init", flagOn),
  },
  { flag: "-t, --tty", help: "allocate a terminal", edit: set(container, "TTY", flagOn) },
  {
    flag: "--read-only",
    help: "mount the root file system read-only",
    edit: set(container, "ReadOnly", flagOn),
  },
  {
    flag: "--no-healthcheck",
    help: "disable the image's health check",
    edit: (spec) => {
      container(spec)["Healthcheck"] = { Test: ["NONE"] };
    },
  },
];

function stringList(
  flag: string,
  help: string,
  where: (spec: JsonObject) => JsonObject,
  key: string,
): ListFlag {
  return {
    flag,
    help,
    add: (spec, value) => {
      where(spec)[key] = [...stringsAt(where(spec), key).filter((entry) => entry !== value), value];
    },
    remove: (spec, value) => {
      where(spec)[key] = stringsAt(where(spec), key).filter((entry) => entry !== value);
    },
  };
}

function keyedMap(flag: string, help: string, where: (spec: JsonObject) => JsonObject): ListFlag {
  return {
    flag,
    help,
    add: (spec, value) => {
      const [key = "", ...rest] = value.split("=");
      where(spec)[key] = rest.join("=");
    },
    remove: (spec, value) => {
      delete where(spec)[value];
    },
  };
}

export const LIST_FLAGS: readonly ListFlag[] = [
  keyedMap("label", "service label", (spec) => objectAt(spec, "Labels")),
  keyedMap("container-label", "container label", (spec) => objectAt(container(spec), "Labels")),
  keyedMap("sysctl", "sysctl option", (spec) => objectAt(container(spec), "Sysctls")),
  {
    flag: "env",
    help: "environment variable KEY=VALUE",
    add: (spec, value) => {
      const key = value.split("=")[0];
      const assigned = value.includes("=") ? value : `${value}=${process.env[value] ?? ""}`;
      const others = stringsAt(container(spec), "Env").filter(
        (entry) => entry.split("=")[0] !== key,
      );
      container(spec)["Env"] = [...others, assigned];
    },
    remove: (spec, value) => {
      container(spec)["Env"] = stringsAt(container(spec), "Env").filter(
        (entry) => entry.split("=")[0] !== value,
      );
    },
  },
  stringList("constraint", "placement constraint, node.labels.zone==a", placement, "Constraints"),
  {
    flag: "placement-pref",
    help: "placement preference, spread=node.labels.zone",
    add: (spec, value) => {
      placement(spec)["Preferences"] = [
        ...listAt(placement(spec), "Preferences"),
        preference(value),
      ];
    },
    remove: (spec, value) => {
      const gone = JSON.stringify(preference(value));
      placement(spec)["Preferences"] = listAt(placement(spec), "Preferences").filter(
        (entry) => JSON.stringify(entry) !== gone,
      );
    },
  },
  {
    flag: "publish",
    help: "publish a port: 8080:80, or mode=host,target=80[,published=8080]",
    add: (spec, value) => {
      endpoint(spec)["Ports"] = [...listAt(endpoint(spec), "Ports"), ...parsePublish(value)];
    },
    remove: (spec, value) => {
      const [port, protocol = "tcp"] = value.split("/");
      endpoint(spec)["Ports"] = listAt(endpoint(spec), "Ports").filter(
        (entry) =>
          !(entry as JsonObject)["TargetPort"] ||
          Number(port) !== (entry as JsonObject)["TargetPort"] ||
          protocol !== ((entry as JsonObject)["Protocol"] ?? "tcp"),
      );
    },
  },
  {
    flag: "mount",
    help: "file system to mount: type=volume,source=data,target=/data",
    add: (spec, value) => {
      container(spec)["Mounts"] = [...listAt(container(spec), "Mounts"), parseMount(value)];
    },
    remove: (spec, value) => {
      container(spec)["Mounts"] = listAt(container(spec), "Mounts").filter(
        (entry) => (entry as JsonObject)["Target"] !== value,
      );
    },
  },
  {
    flag: "network",
    help: "network to join: web, or name=web,alias=db",
    add: (spec, value) => {
      task(spec)["Networks"] = [...listAt(task(spec), "Networks"), parseNetwork(value)];
    },
    remove: (spec, value) => {
      task(spec)["Networks"] = listAt(task(spec), "Networks").filter(
        (entry) => (entry as JsonObject)["Target"] !== value,
      );
    },
  },
  {
    flag: "host",
    help: "line of /etc/hosts, NAME:IP",
    add: (spec, value) => {
      const at = value.indexOf(":");
      if (at < 1) throw new UsageError(`--host ${value}: write NAME:IP`);
      const line = `${value.slice(at + 1)} ${value.slice(0, at)}`;
      container(spec)["Hosts"] = [...stringsAt(container(spec), "Hosts"), line];
    },
    remove: (spec, value) => {
      const [name, ip] = [value.split(":")[0] ?? "", value.split(":").slice(1).join(":")];
      container(spec)["Hosts"] = stringsAt(container(spec), "Hosts").filter((line) => {
        const [lineIp, ...names] = line.split(" ");
        return !names.includes(name) || (ip !== "" && ip !== lineIp);
      });
    },
  },
  {
    flag: "generic-resource",
    help: "reserve generic resources, gpu=2",
    add: (spec, value) => {
      const [kind, amount = ""] = value.split("=");
      const Value = parseCount(amount);
      reservations(spec)["GenericResources"] = [
        ...genericOthers(spec, kind),
        { DiscreteResourceSpec: { Kind: kind, Value } },
      ];
    },
    remove: (spec, value) => {
      reservations(spec)["GenericResources"] = genericOthers(spec, value.split("=")[0]);
    },
  },
  stringList("dns", "DNS server", dns, "Nameservers"),
  stringList("dns-search", "DNS search domain", dns, "Search"),
  stringList("dns-option", "DNS option", dns, "Options"),
  stringList("group", "supplementary group", container, "Groups"),
  stringList("cap-add", "add a capability", container, "CapabilityAdd"),
  stringList("cap-drop", "drop a capability", container, "CapabilityDrop"),
  keyedMap("log-opt", "logging option", (spec) =>
    objectAt(spec, "TaskTemplate", "LogDriver", "Options"),
  ),
  {
    flag: "ulimit",
    help: "resource limit, nofile=1024:2048",
    add: (spec, value) => {
      const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(value);
      if (match === null) throw new UsageError(`--ulimit ${value}: write name=soft[:hard]`);
      const soft = Number(match[2]);
      container(spec)["Ulimits"] = [
        ...listAt(container(spec), "Ulimits").filter(
          (entry) => (entry as JsonObject)["Name"] !== match[1],
        ),
        { Name: match[1], Soft: soft, Hard: match[3] === undefined ? soft : Number(match[3]) },
      ];
    },
    remove: (spec, value) => {
      container(spec)["Ulimits"] = listAt(container(spec), "Ulimits").filter(
        (entry) => (entry as JsonObject)["Name"] !== value,
      );
    },
  },
];

function genericOthers(spec: JsonObject, kind: string | undefined): unknown[] {
  return listAt(reservations(spec), "GenericResources").filter(
    (entry) => objectAt(entry as JsonObject, "DiscreteResourceSpec")["Kind"] !== kind,
  );
}

function preference(value: string): JsonObject {
  const match = /^spread=(.+)$/.exec(value);
  if (match === null)
    throw new UsageError(`--placement-pref ${value}: only spread=<label> is known`);
  return { Spread: { SpreadDescriptor: match[1] } };
}

/** Blanks separate words; quotes keep them together. */
export function splitWords(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  );
}
