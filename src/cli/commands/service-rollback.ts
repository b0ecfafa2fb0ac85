/** `service history` and `service rollback`: the specs a service had, and the way back to one. */
import type { Command } from "commander";
import type { ApiRevision, ApiService } from "../api-types.js";
import type { EngineClient } from "../client.js";
import { print, table } from "../output.js";
import { shortImage } from "../service-table.js";
import { specChanges } from "../spec-changes.js";
import { ago, UsageError } from "../units.js";
import { addWaitFlags, converge, reportOf } from "./service-wait.js";

type Flags = Readonly<Record<string, unknown>>;
type ClientOf = (command: Command) => EngineClient;
type Reply = { readonly Warnings?: readonly string[] | null } | undefined;

export function addRollbackCommands(service: Command, clientOf: ClientOf): void {
  addRollback(service, clientOf);
  addHistory(service, clientOf);
}

function addRollback(service: Command, clientOf: ClientOf): void {
  const command = service
    .command("rollback <service>")
    .description("Go back to the previous spec, or to one of those kept")
    .option("--to <version>", "version to go back to: swarm service history lists them");
  addWaitFlags(command);
  command.action(async (name: string, flags: Flags) => {
    const client = clientOf(command);
    const report = reportOf(flags);
    const before = await client.call<ApiService>("GET", `/services/${encodeURIComponent(name)}`);
    const path = `/services/${before.ID}`;
    const version = `version=${before.Version.Index}`;
    const reply =
      flags["to"] === undefined
        ? await client.call<Reply>("POST", `${path}/update?${version}&rollback=previous`, {
            body: before.Spec,
          })
        : await client.call<Reply>("POST", `${path}/rollback?${version}&to=${toOf(flags["to"])}`);
    report.accepted(before.ID, name, reply?.Warnings ?? []);
    await converge({ client, serviceId: before.ID, goal: "rollback", before }, flags, report);
  });
}

function toOf(value: unknown): number {
  const version = Number(value);
  if (!Number.isSafeInteger(version) || version < 1)
    throw new UsageError(`--to ${String(value)}: a version as swarm service history lists it`);
  return version;
}

function addHistory(service: Command, clientOf: ClientOf): void {
  const command = service
    .command("history <service>")
    .description("List the specs that a service had, newest first")
    .option("--format <format>", "json, or a table when absent");
  command.action(async (name: string, flags: Flags) => {
    const revisions = await clientOf(command).call<ApiRevision[]>(
      "GET",
      `/services/${encodeURIComponent(name)}/history`,
    );
    if (flags["format"] === "json") print(JSON.stringify(revisions, undefined, 2));
    else for (const line of historyTable(revisions, Date.now())) print(line);
  });
}

const HEAD = ["VERSION", "WHEN", "BY", "IMAGE", "CHANGE"];

/** Newest first; the change of each is against the one before it. */
export function historyTable(revisions: readonly ApiRevision[], nowMs: number): readonly string[] {
  const rows = revisions.map((revision, i) => {
    const older = revisions[i + 1];
    const changes = older ? specChanges(older.Spec, revision.Spec) : [];
    return [
      `${revision.Version.Index}${revision.IsPresent ? " *" : ""}`,
      ago(Date.parse(revision.CreatedAt), nowMs),
      revision.Cause === "client" ? (revision.By ?? "-") : revision.Cause,
      shortImage(revision.Spec.TaskTemplate.ContainerSpec?.Image),
      older ? changes.join(", ") || "nothing" : "first one kept",
    ];
  });
  return table([HEAD, ...rows]);
}
