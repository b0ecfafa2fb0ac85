import { createReadStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Command } from "commander";
import { EngineClient } from "../client.js";
import { print, table } from "../output.js";
import { ago, formatBytes } from "../units.js";

type Flags = Readonly<Record<string, unknown>>;
type Image = {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly Created: number;
  readonly Size: number;
};

const clientOf = (command: Command): EngineClient =>
  new EngineClient(String(command.optsWithGlobals()["host"]).replace(/^unix:\/\//, ""));

/** image load, ls, pull: on the connected node. */
export function addImageCommands(program: Command): void {
  const image = program.command("image").description("Images of the connected node");
  const load = image
    .command("load <file>")
    .description("Load an image from an OCI or docker tar (- reads standard input)")
    .option("--all-nodes", "on every node of the cluster");
  load.action(async (file: string, flags: Flags) => {
    const stream = file === "-" ? process.stdin : createReadStream(file);
    const query = flags["allNodes"] === true ? "?all-nodes=1" : "";
    await printProgress(await clientOf(load).open("POST", `/images/load${query}`, { stream }));
  });

  const ls = image
    .command("ls")
    .description("List images")
    .option("--format <format>", "json, or a table when absent");
  ls.action(async (flags: Flags) => {
    const images = await clientOf(ls).call<Image[]>("GET", "/images/json");
    if (flags["format"] === "json") return print(JSON.stringify(images, undefined, 2));
    const nowMs = Date.now();
    const rows = images.flatMap((entry) =>
      (entry.RepoTags ?? ["<none>:<none>"]).map((tag) => [
        tag,
        entry.Id.replace("sha256:", "").slice(0, 12),
        ago(entry.Created * 1000, nowMs),
        formatBytes(entry.Size),
      ]),
    );
    for (const line of table([["IMAGE", "ID", "CREATED", "SIZE"], ...rows])) print(line);
  });

  const pull = image.command("pull <image>").description("Pull an image from its registry");
  pull.action(async (reference: string) => {
    await printProgress(
      await clientOf(pull).open(
        "POST",
        `/images/create?fromImage=${encodeURIComponent(reference)}`,
      ),
    );
  });
}

/** JSON lines of a load or pull; an error in the stream fails the command. */
async function printProgress(response: IncomingMessage): Promise<void> {
  let rest = "";
  for await (const chunk of response as AsyncIterable<Buffer>) {
    rest += chunk.toString("utf8");
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) printProgressLine(line);
  }
  printProgressLine(rest);
}

function printProgressLine(line: string): void {
  if (line.trim() === "") return;
  const entry = JSON.parse(line) as {
    stream?: string;
    status?: string;
    id?: string;
    progressDetail?: { current?: number; total?: number };
    error?: string;
  };
  if (entry.error !== undefined) throw new Error(entry.error);
  if (entry.stream !== undefined) process.stdout.write(entry.stream);
  // Byte counts change many times a second: plain output shows the steps only.
  if (entry.status !== undefined && entry.progressDetail?.current === undefined) {
    print(entry.id === undefined ? entry.status : `${entry.id}: ${entry.status}`);
  }
}
