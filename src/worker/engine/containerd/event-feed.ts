/** Keeps one event stream open and tells when the daemon goes and comes back. Events are hints: they are not replayed. */
import type { Logger } from "../../../base/index.js";
import type { EngineEvent } from "../port.js";
import type { Connection } from "./connection.js";
import { eventsService, versionService } from "./services.js";
import { containerd } from "./wire.js";

const PROBE_TIMEOUT_MS = 2000;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 1000;

/**
 * Runs until aborted. Only out-of-memory events are asked for: ends are seen by waiting. Values in filters are quoted, and
 * the namespace is named, because a subscription gets the events of all namespaces otherwise.
 */
export async function runEventFeed(
  connection: Connection,
  namespace: string,
  logger: Logger,
  emit: (event: EngineEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const filters = [`namespace=="${namespace}",topic=="/tasks/oom"`];
  let isUp = true;
  let delayMs = RETRY_FIRST_MS;
  while (!signal.aborted) {
    try {
      await connection.call(versionService.version, {}, { timeoutMs: PROBE_TIMEOUT_MS, signal });
      const stream = connection.stream(eventsService.subscribe, { filters }, { signal });
      const first = stream.next();
      // The rejection is seen below; until then it must not count as unhandled.
      first.catch(() => undefined);
      if (!isUp) {
        isUp = true;
        logger.info({}, "containerd is back");
        emit({ kind: "up" });
      }
      delayMs = RETRY_FIRST_MS;
      for (let next = await first; next.done !== true; next = await stream.next()) {
        const value = next.value.event?.value;
        if (value === undefined || value === null) continue;
        emit({ kind: "oom", id: containerd.events.TaskOOM.decode(value).containerId });
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isUp) logger.warn({ error }, "containerd is away");
    }
    if (isUp) {
      isUp = false;
      emit({ kind: "down" });
    }
    await connection.clock.sleep(delayMs, signal).catch(() => undefined);
    delayMs = Math.min(RETRY_MAX_MS, delayMs * 2);
  }
}
