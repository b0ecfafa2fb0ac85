import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { type Command, InvalidArgumentError } from "commander";
import { EngineClient } from "../client.js";
import { ExitError } from "../exit-codes.js";
import { eventText, historyRows, type JournalEntry } from "../journal-table.js";
import { isObject, type JsonObject } from "../json.js";
import { print, printError, table } from "../output.js";
import { parseDuration, UsageError } from "../units.js";

type Flags = Readonly<Record<string, string | boolean | number | readonly string[] | undefined>>;

/** Entries of one `history` unless told otherwise, and at most. */
const HISTORY_COUNT = 50;
const HISTORY_MAX = 10_000;
const DAY_MS = 86_400_000;

const TIMES = "RFC 3339, Unix seconds, or that long ago: 10m, 1h30m, 2d";

const clientOf = (command: Command): EngineClient =>
  new EngineClient(String(command.optsWithGlobals()["host"]).replace(/^unix:\/\//, ""));

/** events, history, cluster inspect, cluster update. */
export function addJournalCommands(program: Command): void {
  addEvents(program);
  addHistory(program);
  const cluster = program.command("cluster").description("Show and change the cluster's settings");
  addInspect(cluster);
  addUpdate(cluster);
}

function addEvents(program: Command): void {
  const events = program
    .command("events")
    .description("Show changes of services, tasks, nodes and networks as they happen")
    .option("--since <time>", `also those from this time on (${TIMES})`)
    .option("--until <time>", "end at this time; 0s: tell what was until now, and end")
    .option(
      "-f, --filter <key=value...>",
      "type, event, service, node, task, network, secret, config, cluster",
      [],
    )
    .option("--format <format>", "json: one entry a line");
  events.action(async (flags: Flags) => {
    const query = new URLSearchParams({ follow: "1", filters: filtersOf(flags["filter"]) });
    for (const name of ["since", "until"] as const) {
      const value = flags[name];
      if (typeof value === "string") query.set(name, timeOf(value, Date.now()));
    }
    const isJson = wantsJson(flags);
    await eachEntry(clientOf(events), query, (entry, line) => {
      print(isJson ? line : eventText(entry));
    });
  });
}

function addHistory(program: Command): void {
  const history = program
    .command("history <service|node|task>")
    .description("Show who changed it when, what, and with what outcome; also after it was removed")
    .option("-n, --last <count>", "newest entries", countOf, HISTORY_COUNT)
    .option("--tasks", "also the entries of the service's or node's tasks")
    .option("--since <time>", `only from this time on (${TIMES})`)
    .option("--format <format>", "json: one entry a line");
  history.action(async (name: string, flags: Flags) => {
    const filters = { of: [name], ...(flags["tasks"] === true && { "with-tasks": ["1"] }) };
    const query = new URLSearchParams({
      last: String(flags["last"]),
      filters: JSON.stringify(filters),
    });
    if (typeof flags["since"] === "string") query.set("since", timeOf(flags["since"], Date.now()));
    const entries: JournalEntry[] = [];
    const isJson = wantsJson(flags);
    await eachEntry(clientOf(history), query, (entry, line) => {
      if (isJson) print(line);
      else entries.push(entry);
    });
    if (isJson) return;
    if (entries.length === 0) throw new ExitError(1, `the journal knows nothing of "${name}"`);
    for (const line of table(historyRows(entries))) print(line);
  });
}

function addInspect(cluster: Command): void {
  const inspect = cluster
    .command("inspect")
    .description("Show the cluster's settings and the state of its journal");
  inspect.action(async () => {
    const found = await clientOf(inspect).call<JsonObject>("GET", "/swarm?journal=true");
    const { JoinTokens: _tokens, ...shown } = found;
    print(JSON.stringify(shown, null, 2));
  });
}

function addUpdate(cluster: Command): void {
  const update = cluster
    .command("update")
    .description("Change the cluster's settings")
    .option(
      "--journal <url>",
      'Redis that keeps the journal as a stream: redis[s]://…, redis[s]-sentinel://…, redis[s]-cluster://…; "none": files only',
    )
    .option("--journal-max-entries <count>", "entries kept in the stream", (text) =>
      countOf(text, 0, Number.MAX_SAFE_INTEGER),
    )
    .option("--journal-ca <file>", "PEM of the authorities trusted for rediss://");
  update.action(async (flags: Flags) => {
    const client = clientOf(update);
    const now = await client.call<{ Version: { Index: number }; Spec: JsonObject }>(
      "GET",
      "/swarm",
    );
    const journal = await journalOf(flags, now.Spec["Journal"]);
    await client.call("POST", `/swarm/update?version=${now.Version.Index}`, {
      body: { ...now.Spec, Journal: journal },
    });
    print("Cluster updated.");
  });
}

/** The password of a URL is not shown; sent back as it was shown, it stays. */
async function journalOf(flags: Flags, old: unknown): Promise<JsonObject> {
  const { journal: url, journalMaxEntries, journalCa } = flags;
  if (url === undefined && journalMaxEntries === undefined && journalCa === undefined)
    throw new UsageError("nothing to update: see --help");
  if (url === "none") return {};
  const before = isObject(old) ? old : {};
  if (url === undefined && before["URL"] === undefined)
    throw new UsageError("no Redis is set: --journal URL");
  const isTls = String(url ?? before["URL"]).startsWith("rediss");
  return {
    ...before,
    ...(!isTls && { CACert: undefined }),
    ...(url !== undefined && { URL: url }),
    ...(journalMaxEntries !== undefined && { MaxEntries: journalMaxEntries }),
    ...(typeof journalCa === "string" && { CACert: await readFile(journalCa, "utf8") }),
  };
}

async function eachEntry(
  client: EngineClient,
  query: URLSearchParams,
  show: (entry: JournalEntry, line: string) => void,
): Promise<void> {
  const response = await client.open("GET", `/journal?${query.toString()}`);
  const early = noticeOf(response.headers[NOTICE_HEADER]);
  if (early !== "") printError(early);
  for await (const line of createInterface({ input: response }))
    if (line !== "") show(JSON.parse(line) as JournalEntry, line);
  const late = noticeOf(response.trailers[NOTICE_HEADER]);
  if (late !== "" && late !== early) printError(late);
}

/** What the answer may lack; in a trailer when that was known only later. */
const NOTICE_HEADER = "swarm-journal-notice";

function noticeOf(value: string | readonly string[] | undefined): string {
  return typeof value === "string" && value !== "" ? `notice: ${value}` : "";
}

function filtersOf(given: Flags[string]): string {
  const filters: Record<string, string[]> = {};
  for (const text of Array.isArray(given) ? (given as readonly string[]) : []) {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError(`--filter ${text}: must be key=value`);
    const key = text.slice(0, at);
    filters[key] = [...(filters[key] ?? []), text.slice(at + 1)];
  }
  return JSON.stringify(filters);
}

function wantsJson(flags: Flags): boolean {
  const { format } = flags;
  if (format === undefined || format === "json") return format === "json";
  throw new UsageError(`--format ${String(format)}: json, or nothing for text`);
}

/** "10m", "1h30m", "2d": that long before now, as Docker's clients read it, days besides. Days and times without a zone are of this machine's. */
export function timeOf(text: string, nowMs: number): string {
  const [, days, duration = ""] =
    /^(?:(\d+(?:\.\d+)?)d)?((?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))*)$/.exec(text) ?? [];
  if (days !== undefined || duration !== "") {
    const agoMs =
      Number(days ?? 0) * DAY_MS + (duration === "" ? 0 : parseDuration(duration) / 1e6);
    return ((nowMs - agoMs) / 1000).toFixed(3);
  }
  const local = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?$/.exec(text);
  if (local === null) return text;
  const atMs = Date.parse(`${local[1]}T${local[2] ?? "00:00"}`);
  // What is no day of a calendar is the API's to refuse.
  return Number.isNaN(atMs) ? text : (atMs / 1000).toFixed(3);
}

function countOf(text: string, _previous: unknown, max = HISTORY_MAX): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (count >= 1 && count <= max) return count;
  throw new InvalidArgumentError(`must be a number from 1 to ${max}`);
}
