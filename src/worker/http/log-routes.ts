/** Log streams of containers and tasks: Docker's multiplexed frames, or raw bytes for a TTY. */
import { once } from "node:events";
import type { FastifyInstance, FastifyReply } from "fastify";
import { doorError } from "../../base/index.js";
import { isTrue } from "../core/filter/filters.js";
import { isTerminal } from "../core/task/types.js";
import { formatDetails, formatLogTime, parseLogTime, parseTail } from "../core/view/log-line.js";
import { type LogQuery, type LogRecord, readLog } from "../logs/index.js";
import type { TaskRunner } from "../tasks/index.js";
import { findContainer } from "./container-routes.js";
import type { HttpContext } from "./context.js";

type Query = Readonly<Record<string, string | undefined>>;

/** Frame types of the multiplexed stream. */
const FRAME = { stdout: 1, stderr: 2, error: 3 } as const;
const FRAME_HEADER_BYTES = 8;
/** From this API version on the multiplexed stream has a content type of its own. */
const OWN_TYPE_SINCE_MINOR = 42;

export function addLogRoutes(app: FastifyInstance, context: HttpContext): void {
  app.get<{ Params: { id: string }; Querystring: Query }>(
    "/containers/:id/logs",
    async (request, reply) => {
      const runner = findContainer(context, request.params.id);
      await sendLog(context, runner, request.query, {}, reply);
    },
  );

  // The managers read services' and tasks' logs here.
  app.get<{ Params: { id: string }; Querystring: Query }>(
    "/tasks/:id/logs",
    async (request, reply) => {
      const runner = context.tasks.runner(request.params.id);
      if (runner === undefined) throw doorError("NotFound", `task ${request.params.id} not found`);
      const { serviceId, taskId } = runner.record.assignment;
      const details = {
        "com.docker.swarm.node.id": context.node().nodeId,
        "com.docker.swarm.service.id": serviceId,
        "com.docker.swarm.task.id": taskId,
      };
      await sendLog(context, runner, request.query, details, reply);
    },
  );
}

function parseQuery(query: Query): LogQuery {
  const stdout = isTrue(query["stdout"] ?? "");
  const stderr = isTrue(query["stderr"] ?? "");
  if (!stdout && !stderr) {
    throw doorError("InvalidArgument", "Bad parameters: you must choose at least one stream");
  }
  const tail = parseTail(query["tail"] ?? "");
  if (tail === undefined) {
    throw doorError("InvalidArgument", `invalid tail "${query["tail"]}": use a number or "all"`);
  }
  const [sinceNs, untilNs] = ["since", "until"].map((name) => {
    const time = parseLogTime(query[name] ?? "");
    if (time === undefined) {
      throw doorError("InvalidArgument", `invalid value for "${name}": ${query[name]}`);
    }
    return time;
  });
  const follow = isTrue(query["follow"] ?? "");
  return { stdout, stderr, follow, tail, sinceNs: sinceNs ?? "", untilNs: untilNs ?? "" };
}

async function sendLog(
  context: HttpContext,
  runner: TaskRunner,
  query: Query,
  details: Readonly<Record<string, string>>,
  reply: FastifyReply,
): Promise<void> {
  const logQuery = parseQuery(query);
  const { taskId, spec } = runner.record.assignment;
  if (spec.LogDriver?.Name === "none") {
    throw doorError("Unimplemented", "configured logging driver does not support reading");
  }
  const isTty = spec.ContainerSpec.TTY ?? false;
  const controller = new AbortController();
  reply.hijack();
  const { raw } = reply;
  raw.once("close", () => controller.abort(new Error("the client went away")));
  const minor = reply.request.apiMinor ?? OWN_TYPE_SINCE_MINOR;
  const isOwnType = !isTty && minor >= OWN_TYPE_SINCE_MINOR;
  raw.writeHead(200, {
    "Content-Type": `application/vnd.docker.${isOwnType ? "multiplexed" : "raw"}-stream`,
  });
  raw.flushHeaders();
  const format = lineFormat(query, details, isTty);
  try {
    const log = await openLog(context, runner);
    for await (const records of readLog(log, logQuery, controller.signal)) {
      if (!raw.write(Buffer.concat(records.flatMap(format)))) {
        await Promise.race([once(raw, "drain"), once(raw, "close")]);
      }
      if (controller.signal.aborted) break;
    }
  } catch (error) {
    context.logger.warn({ error, taskId }, "log stream ended early");
    const text = Buffer.from(
      `Error grabbing logs: ${error instanceof Error ? error.message : error}\n`,
    );
    raw.write(isTty ? text : Buffer.concat([frameHeader(FRAME.error, text.length), text]));
  }
  raw.end();
}

/** The log of a task that ended before this agent started is not open yet. */
async function openLog(
  context: HttpContext,
  runner: TaskRunner,
): ReturnType<HttpContext["logs"]["open"]> {
  const { taskId, spec } = runner.record.assignment;
  const { spoolDir, logDir } = context.store.paths(taskId);
  const log = await context.logs.open(taskId, { spoolDir, logDir }, spec.LogDriver ?? {});
  // Terminal means that its last bytes were waited for; before that the runner itself finishes the log.
  if (isTerminal(runner.record.status.state) && !log.isFinished) await log.finish();
  return log;
}

const NEWLINE = Buffer.from("\n");

function lineFormat(
  query: Query,
  details: Readonly<Record<string, string>>,
  isTty: boolean,
): (record: LogRecord) => readonly Buffer[] {
  const hasTime = isTrue(query["timestamps"] ?? "");
  const detailText = isTrue(query["details"] ?? "") ? `${formatDetails(details)} ` : "";
  return (record) => {
    const prefix = Buffer.from(`${hasTime ? `${formatLogTime(record.timeNs)} ` : ""}${detailText}`);
    const end = record.isPartial ? [] : [NEWLINE];
    const length = prefix.length + record.payload.length + end.length;
    const header = isTty ? [] : [frameHeader(FRAME[record.stream], length)];
    return [...header, prefix, record.payload, ...end];
  };
}

function frameHeader(type: number, length: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header[0] = type;
  header.writeUInt32BE(length, 4);
  return header;
}
