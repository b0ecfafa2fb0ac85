/** One command inside a running container, with its output gathered: health checks. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineError, type ExecResult } from "../port.js";
import type { Connection } from "./connection.js";
import type { ContainerRecord } from "./container-record.js";
import { shorten } from "./errors.js";
import { FifoReader, makeFifo } from "./fifo.js";
import { isRpc, orMissing, RPC } from "./rpc-error.js";
import { tasksService } from "./services.js";
import { jsonAny } from "./wire.js";

const OUTPUT_BYTES_MAX = 4096;
const PROCESS_TYPE = "types.containerd.io/opencontainers/runtime-spec/1/Process";
const START_TIMEOUT_MS = 30_000;
/** Between looks at the output while the command runs; it is drained once more at the end. */
const DRAIN_INTERVAL_MS = 25;
const KILL_WAIT_MS = 5000;
const SIGKILL = 9;
/** As a shell says it: found but not runnable, not found. */
const EXIT_NOT_RUNNABLE = 126;
const EXIT_NOT_FOUND = 127;
/** A command that was stopped because its time was over has no exit code of its own. */
const EXIT_TIMED_OUT = -1;

export type ExecRequest = {
  readonly id: string;
  readonly execId: string;
  readonly record: ContainerRecord;
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly tempDir: string;
  readonly signal: AbortSignal;
};

export async function execCommand(
  connection: Connection,
  request: ExecRequest,
): Promise<ExecResult> {
  const { id, execId, timeoutMs, signal } = request;
  const { clock } = connection;
  const target = { containerId: id, execId };
  const path = join(request.tempDir, `exec-${execId}`);
  await makeFifo(path);
  using reader = new FifoReader(path, OUTPUT_BYTES_MAX);
  const startedAtMs = clock.nowMs();
  const ended = new AbortController();
  try {
    await connection.call(tasksService.exec, {
      ...target,
      stdout: path,
      stderr: path,
      spec: jsonAny(PROCESS_TYPE, JSON.stringify(toProcess(request))),
    });
    try {
      const exit = connection.call(tasksService.wait, target, {
        timeoutMs: Number.POSITIVE_INFINITY,
        signal: ended.signal,
      });
      // Left pending if the start fails; its rejection then says nothing new.
      exit.catch(() => undefined);
      await connection.call(tasksService.start, target, { timeoutMs: START_TIMEOUT_MS });
      const draining = keepDraining(connection, reader, ended.signal);
      const leftMs = Math.max(0, timeoutMs - (clock.nowMs() - startedAtMs));
      const outcome = await Promise.race([
        exit.then(({ exitStatus }) => ({ kind: "ended", exitStatus }) as const),
        clock.sleep(leftMs, AbortSignal.any([signal, ended.signal])).then(
          () => ({ kind: "late" }) as const,
          () => ({ kind: "aborted" }) as const,
        ),
      ]);
      if (outcome.kind !== "ended") {
        await orMissing(connection.call(tasksService.kill, { ...target, signal: SIGKILL }));
        await Promise.race([exit, clock.sleep(KILL_WAIT_MS, ended.signal)]).catch(() => undefined);
      }
      // Deleting waits for the shim to have copied everything.
      await orMissing(connection.call(tasksService.deleteProcess, target));
      ended.abort();
      await draining;
      signal.throwIfAborted();
      reader.drain();
      if (outcome.kind === "ended") return { exitCode: outcome.exitStatus, output: reader.text };
      return { exitCode: EXIT_TIMED_OUT, output: `${reader.text}timed out after ${timeoutMs} ms` };
    } catch (error) {
      // A failed start leaves the exec behind.
      await orMissing(connection.call(tasksService.deleteProcess, target)).catch(() => undefined);
      if (isRpc(error, RPC.UNKNOWN) && /exec/.test(error.message)) return cannotRun(error.message);
      throw error;
    }
  } finally {
    ended.abort();
    await rm(path, { force: true });
  }
}

async function keepDraining(
  connection: Connection,
  reader: FifoReader,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    reader.drain();
    await connection.clock.sleep(DRAIN_INTERVAL_MS, signal).catch(() => undefined);
  }
}

function cannotRun(message: string): ExecResult {
  const isMissing = /not found|no such file/.test(message);
  return { exitCode: isMissing ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE, output: shorten(message) };
}

function toProcess({ record, command }: ExecRequest): object {
  if (command.length === 0) throw new EngineError("INVALID_SPEC", "exec: no command given");
  const held = record.user.uid === 0 ? record.capabilities : [];
  return {
    terminal: false,
    user: record.user,
    args: command,
    env: record.env,
    cwd: record.cwd,
    capabilities: {
      bounding: record.capabilities,
      effective: held,
      permitted: held,
      inheritable: [],
      ambient: [],
    },
    noNewPrivileges: record.noNewPrivileges,
  };
}
