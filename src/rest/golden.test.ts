/**
 * Replays the exchanges recorded from a Docker Swarm against this door, in their order. What differs on purpose stands in the
 * tables below, with the reason; everything else has to be the same.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { settle } from "./testing/autopilot.js";
import { differences } from "./testing/golden-compare.js";
import { makeWorld, type World } from "./testing/world.js";

type Recording = {
  readonly what: string;
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
};

const LINES = readFileSync(new URL("./testdata/engine-api-20.10.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n");

/** Not replayed here, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  version: "most keys are facts of the host; see system.test.ts",
  "info manager": "as above",
  "info worker": "as above",
  "manager call on a worker": "needs a worker; see system.test.ts",
  "secret create": "501 in this version",
  "secret duplicate": "501 in this version",
  "secret bad base64": "501 in this version",
  "secret inspect": "there are no secrets yet",
  secrets: "there are no secrets yet",
  "secret in use": "there are no secrets yet",
  "secret update data": "501 in this version",
  "secret delete": "there are no secrets yet",
  "config create": "501 in this version",
  "config inspect": "there are no configs yet",
  "config delete": "there are no configs yet",
  "init again": "the supervisor's answer; passed on unchanged, see membership.test.ts",
  "unlock when not locked": "as above",
  "service logs rsvc": "needs nodes with logs; see logs.test.ts",
  events: "compared as lines in events.test.ts",
  "containers on a worker": "the worker's answer, passed on; see proxy.test.ts",
};

/** Our version numbers in the texts of "too new" and "too old". */
const VERSIONS = [
  ["Maximum supported API version is 1.41", "Maximum supported API version is 1.50"],
  ["Minimum supported API version is 1.12", "Minimum supported API version is 1.24"],
] as const;

/** Differences of bodies that are meant. */
const MEANT: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  { pattern: /^\$\.Warnings: not recorded$/, why: "API 1.41 left out null warnings of a create" },
  { pattern: /\.Volumes: not recorded$/, why: "tasks have Volumes since API 1.42" },
  {
    pattern: /^\$\.DefaultAddrPool: null recorded/,
    why: "the default pool is shown since API 1.42",
  },
  { pattern: /\.ElectionTick: 10 recorded, 6 ours$/, why: "contracts §6: ticks of 100 ms" },
  { pattern: /\.HeartbeatPeriod: 5000000000 recorded/, why: "agents beat every second" },
  {
    pattern: /\.ExitCode: -1 recorded, 0 ours$/,
    why: "tasks that were told to stop keep their last status here",
  },
  {
    pattern: /^\$\.SwarmResources: not recorded$/,
    why: "an extension: what is reserved of a node",
  },
  {
    pattern: /^\$\.DrainStatus: not recorded$/,
    why: "an extension: since when a node is drained, and its deadline",
  },
  { pattern: /\.EnableIPv4: not recorded$/, why: "networks have EnableIPv4 since API 1.48" },
  {
    pattern: /\.(?:Addresses\[\d+\]|VirtualIPs\[\d+\]\.Addr): "10\.0\.\d\.\d+\/24" recorded/,
    why: "nodes have no address on networks but ingress, so fewer are taken",
  },
  {
    pattern: /^\$\.(?:Peers|Services): not recorded$/,
    why: "any manager knows who is on a network, not only a node with a task on it",
  },
  { pattern: /\.Engine\.Plugins: \d+ elements recorded/, why: "our engine has other plugins" },
];

/** Parts of the recorded bodies that this version refuses or does not have yet. */
const NOT_BUILT = new Set(["Secrets", "Configs"]);

function withoutUnbuilt(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUnbuilt);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !NOT_BUILT.has(key))
      .map(([key, item]) => [key, withoutUnbuilt(item)]),
  );
}

/** Recorded ids → ours, replaced in the text of each recording before it is used. */
class Substitutions {
  readonly #pairs: [string, string][] = [...VERSIONS.map(([a, b]): [string, string] => [a, b])];

  add(recorded: string, ours: string): void {
    this.#pairs.push([recorded, ours]);
  }

  apply(line: string): Recording {
    let text = line;
    for (const [recorded, ours] of this.#pairs) text = text.replaceAll(recorded, ours);
    return JSON.parse(text) as Recording;
  }
}

/** A recorded `version=38` means "the one I just read". 0 and 1 are the stale ones. */
function currentVersion(path: string, world: World): string {
  return path.replace(
    /\/(services|nodes)\/([^/?]+)\/update\?version=(\d+)/,
    (whole, _t, ref, n) => {
      const { store } = world.cluster;
      const object =
        store.service(String(ref)) ?? store.serviceByName(String(ref)) ?? store.node(String(ref));
      return Number(n) <= 1 || object === undefined
        ? whole
        : whole.replace(/version=\d+/, `version=${object.versionIndex}`);
    },
  );
}

type Sortable = { readonly ID?: string; readonly Slot?: number; readonly DesiredState?: string };

/** Lists are in the order of ids, which differ: both sides are put in an order of meaning. */
function inOrder(body: unknown): unknown {
  if (!Array.isArray(body)) return body;
  const key = (item: unknown): string => {
    const { Slot: slot, DesiredState: desired } = item as Sortable;
    const named = item as { Spec?: { Name?: string }; Description?: { Hostname?: string } };
    const name = (item as { Name?: string }).Name ?? named.Spec?.Name ?? "";
    return `${named.Description?.Hostname ?? name}/${slot ?? ""}/${desired ?? ""}`;
  };
  return [...body].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

test("every recorded exchange gets the recorded answer", async () => {
  await using world = await makeWorld();
  await using quiet = quietNode();
  world.cluster.connect = () => Promise.resolve(connect({ path: quiet.path }));
  const ids = new Substitutions();
  const found: string[] = [];
  let replayedCount = 0;

  for (const [i, line] of LINES.entries()) {
    const { what, request, response } = ids.apply(line);
    if (LEFT_OUT[what] !== undefined) continue;
    const { body } = request;
    const answer = await world.call(
      request.method,
      currentVersion(request.path, world),
      typeof body === "string" ? body : withoutUnbuilt(body),
      { ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    );
    replayedCount += 1;
    const complain = (text: string): void => {
      found.push(`${i} ${what}: ${text}`);
    };

    if (answer.status !== response.status) {
      complain(`status ${response.status} recorded, ${answer.status} ours: ${answer.text}`);
    }
    for (const header of [
      "ostype",
      "docker-experimental",
      "cache-control",
      "pragma",
      "content-type",
    ]) {
      const recorded = response.headers[header];
      if (recorded !== undefined && answer.headers[header] !== recorded) {
        complain(`header ${header}: ${recorded} recorded, ${answer.headers[header]} ours`);
      }
    }
    const expected =
      typeof response.body === "string" ? response.body : inOrder(withoutUnbuilt(response.body));
    const ours =
      typeof response.body === "string" ? answer.text : inOrder(withoutUnbuilt(answer.json));
    for (const difference of differences(expected, ours)) {
      if (!MEANT.some(({ pattern }) => pattern.test(difference))) complain(difference);
    }

    learnIds(ids, response.body, answer.json);
    world.cluster.nowMs += 1_000;
    // What the orchestrator would have done by the next exchange.
    if (request.method === "POST" && answer.status < 300) await settle(world.cluster);
  }
  expect(found).toEqual([]);
  expect(replayedCount).toBe(LINES.length - Object.keys(LEFT_OUT).length);
});

/** A node whose tasks have logged nothing. */
function quietNode(): AsyncDisposable & { readonly path: string } {
  const dir = mkdtempSync(join(tmpdir(), "rest-node-"));
  const path = join(dir, "worker.sock");
  const server = createServer((_request, response) => {
    response.end();
  }).listen(path);
  return {
    path,
    [Symbol.asyncDispose]: () => {
      server.close();
      rmSync(dir, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

/** What was created, the nodes by their host names, the networks by theirs. */
function learnIds(ids: Substitutions, recorded: unknown, ours: unknown): void {
  const pairs = Array.isArray(recorded)
    ? (recorded as Named[]).map((one) => [one, twinOf(one, ours)] as const)
    : [[(recorded ?? {}) as Named, (ours ?? {}) as Named] as const];
  for (const [theirs, mine] of pairs) {
    const from = theirs.ID ?? theirs.Id;
    const to = mine?.ID ?? mine?.Id;
    if (typeof from === "string" && typeof to === "string" && from !== to) ids.add(from, to);
  }
}

type Named = {
  readonly ID?: string;
  readonly Id?: string;
  readonly Name?: string;
  readonly Description?: { readonly Hostname: string };
};

function twinOf(one: Named, list: unknown): Named | undefined {
  const name = one.Description?.Hostname ?? one.Name;
  if (name === undefined || !Array.isArray(list)) return undefined;
  return (list as Named[]).find((other) => (other.Description?.Hostname ?? other.Name) === name);
}
