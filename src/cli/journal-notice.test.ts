/** `swarm events` and `swarm history` against a door that says what its answer may lack. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { addJournalCommands } from "./commands/journal.js";
import type { JournalEntry } from "./journal-table.js";

const ENTRY: JournalEntry = {
  index: 12,
  seq: 0,
  atMs: 0,
  type: "service",
  action: "create",
  id: "abcdefghijklmnop",
  name: "web",
  who: { nodeId: "", door: "rest", actor: "" },
  old: {},
  new: {},
  moreFields: 0,
  outcome: "",
};

let dir: string;
let door: Server;
let notices: { header?: string; trailer?: string };
let asked: URLSearchParams;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "notice-"));
  door = createServer((request, response) => {
    asked = new URL(request.url ?? "", "http://door").searchParams;
    response.writeHead(200, {
      Trailer: "Swarm-Journal-Notice",
      ...(notices.header !== undefined && { "Swarm-Journal-Notice": notices.header }),
    });
    response.write(`${JSON.stringify(ENTRY)}\n`);
    if (notices.trailer !== undefined)
      response.addTrailers({ "Swarm-Journal-Notice": notices.trailer });
    response.end();
  });
  await new Promise<void>((resolve) => door.listen(join(dir, "door.sock"), resolve));
});

afterEach(async () => {
  vi.restoreAllMocks();
  door.close();
  await rm(dir, { recursive: true, force: true });
});

async function run(...words: readonly string[]): Promise<{ out: string; err: string }> {
  const texts = { out: "", err: "" };
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    texts.out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    texts.err += String(text);
    return true;
  });
  const program = new Command().option(
    "-H, --host <socket>",
    "",
    `unix://${join(dir, "door.sock")}`,
  );
  addJournalCommands(program);
  await program.parseAsync(words, { from: "user" });
  vi.restoreAllMocks();
  return texts;
}

test.each([
  { name: "nothing", given: {}, err: "" },
  {
    name: "known at the beginning",
    given: { header: "may be missing" },
    err: "notice: may be missing\n",
  },
  {
    name: "known at the end",
    given: { trailer: "may be missing" },
    err: "notice: may be missing\n",
  },
  {
    name: "both, told once",
    given: { header: "may be missing", trailer: "may be missing" },
    err: "notice: may be missing\n",
  },
])("a notice goes to stderr: $name", async ({ given, err }) => {
  notices = given;
  const events = await run("events", "--since", "1");
  expect(events.err).toBe(err);
  expect(events.out).toContain("service create web");
  expect((await run("history", "web", "--format", "json")).out).toBe(`${JSON.stringify(ENTRY)}\n`);
});

test("--until 0s asks for what was until now", async () => {
  notices = {};
  const beforeSec = Date.now() / 1000;
  await run("events", "--until", "0s");
  expect(asked.get("since")).toBeNull();
  expect(Number(asked.get("until"))).toBeGreaterThanOrEqual(Math.floor(beforeSec));
  expect(Number(asked.get("until"))).toBeLessThanOrEqual(Date.now() / 1000 + 0.001);
});
