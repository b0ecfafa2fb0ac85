import type { Command } from "commander";
import { ClientError, EngineClient } from "../client.js";
import { print } from "../output.js";
import { type ApiWhy, isStuck, whyLines } from "../placement-table.js";

/** Looked up in this order: names of services are what operators have at hand. */
const KINDS = ["services", "tasks", "nodes"] as const;

export function addWhyCommand(program: Command): void {
  const why = program
    .command("why <service|task|node>")
    .description("Say why tasks wait: what every node says to them, and the nearest fix")
    .option("--format <format>", "json, or a table when absent");
  why.action(async (reference: string, flags: Readonly<Record<string, unknown>>) => {
    const host = String(why.optsWithGlobals()["host"]);
    const found = await ask(new EngineClient(host.replace(/^unix:\/\//, "")), reference);
    if (flags["format"] === "json") print(JSON.stringify(found, undefined, 2));
    else for (const line of whyLines(found)) print(line);
    if (isStuck(found)) process.exitCode = 1;
  });
}

async function ask(client: EngineClient, reference: string): Promise<ApiWhy> {
  for (const kind of KINDS) {
    try {
      return await client.call<ApiWhy>("GET", `/${kind}/${encodeURIComponent(reference)}/why`);
    } catch (error) {
      if (!(error instanceof ClientError) || error.status !== 404) throw error;
    }
  }
  throw new ClientError(404, `no service, task or node is called ${reference}`);
}
