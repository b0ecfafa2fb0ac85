import type { Command } from "commander";
import type { EngineClient } from "../client.js";

/** Longest frame that is believed; the API splits lines far below this. */
const FRAME_MAX_BYTES = 16 * 1024 * 1024;

/** Splits Docker's multiplexed stream: 8 bytes of header (stream, length), then the payload. */
export async function* demultiplex(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly stream: number; readonly data: Buffer }> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 8) {
      const length = rest.readUInt32BE(4);
      if (length > FRAME_MAX_BYTES)
        throw new Error(`log frame of ${length} bytes: the stream is damaged`);
      if (rest.length < 8 + length) break;
      yield { stream: rest[0] ?? 0, data: rest.subarray(8, 8 + length) };
      rest = rest.subarray(8 + length);
    }
  }
}

/** `com.docker.swarm.task.id=x,… message` → the task id and the rest. */
export function splitDetails(line: string): { readonly taskId: string; readonly text: string } {
  const at = line.indexOf(" ");
  const details = new URLSearchParams(line.slice(0, at).replaceAll(",", "&"));
  return { taskId: details.get("com.docker.swarm.task.id") ?? "", text: line.slice(at + 1) };
}

export function addLogsCommand(
  service: Command,
  clientOf: (command: Command) => EngineClient,
): void {
  const command = service
    .command("logs <service|task>")
    .description("Show the logs of a service or task")
    .option("-f, --follow", "go on as new lines come")
    .option("-n, --tail <count>", "lines from the end", "all")
    .option("-t, --timestamps", "show when each line was written")
    .option("--since <time>", "only lines after this time (RFC 3339 or Unix seconds)")
    .option("--raw", "lines as they are, without the task's name");
  command.action(async (name: string, flags: Record<string, string | boolean | undefined>) => {
    const client = clientOf(command);
    const query = new URLSearchParams({
      stdout: "1",
      stderr: "1",
      details: "1",
      tail: String(flags["tail"]),
    });
    if (flags["follow"] === true) query.set("follow", "1");
    if (flags["timestamps"] === true) query.set("timestamps", "1");
    if (typeof flags["since"] === "string") query.set("since", flags["since"]);
    const reference = encodeURIComponent(name);
    const kind = await client.call("GET", `/services/${reference}`).then(
      () => "services",
      () => "tasks",
    );
    const response = await client.open("GET", `/${kind}/${reference}/logs?${query.toString()}`);
    await printFrames(client, response, flags["timestamps"] === true, flags["raw"] === true);
  });
}

async function printFrames(
  client: EngineClient,
  response: AsyncIterable<Uint8Array>,
  hasTimestamps: boolean,
  isRaw: boolean,
): Promise<void> {
  const names = new Map<string, string>();
  for await (const { stream, data } of demultiplex(response)) {
    const target = stream === 1 ? process.stdout : process.stderr;
    const text = data.toString("utf8");
    if (stream === 3) {
      target.write(text);
      continue;
    }
    const stamp = hasTimestamps ? text.slice(0, text.indexOf(" ") + 1) : "";
    const { taskId, text: line } = splitDetails(text.slice(stamp.length));
    const prefix = isRaw ? "" : `${(await taskName(client, names, taskId)).padEnd(20)} | `;
    target.write(`${stamp}${prefix}${line}`);
  }
}

async function taskName(
  client: EngineClient,
  names: Map<string, string>,
  taskId: string,
): Promise<string> {
  const known = names.get(taskId);
  if (known !== undefined) return known;
  const name = await client
    .call<{ Slot?: number; ServiceID: string; NodeID?: string }>("GET", `/tasks/${taskId}`)
    .then(async (task) => {
      const owner = await client.call<{ Spec: { Name: string } }>(
        "GET",
        `/services/${task.ServiceID}`,
      );
      const node = await client.call<{ Description?: { Hostname?: string } }>(
        "GET",
        `/nodes/${task.NodeID}`,
      );
      return `${owner.Spec.Name}.${task.Slot ?? ""}@${node.Description?.Hostname ?? task.NodeID}`;
    })
    .catch(() => taskId.slice(0, 12));
  names.set(taskId, name);
  return name;
}
