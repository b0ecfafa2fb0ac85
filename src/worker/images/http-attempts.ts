/** One HTTP request to a registry with the patience it needs: a header deadline, and retries for what may pass. */
import type { Clock, Random } from "../../base/index.js";
import { ImageError } from "./errors.js";

export const ATTEMPTS_MAX = 5;
/** Attempts when nobody is there to answer. A second one covers a registry that restarts; more would only hold up an image that is here. */
const ABSENT_ATTEMPTS_MAX = 2;
/** Errors of name look-up and connect that say so at once, unlike a slow or broken answer. */
const ABSENT_CODES: ReadonlySet<unknown> = new Set([
  "ENOTFOUND",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);
const HEADER_TIMEOUT_MS = 30_000;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 10_000;
/** A registry that wants a longer pause gets an error instead: the task's restart policy takes over. */
const RETRY_AFTER_MAX_MS = 30_000;

export type Fetch = typeof fetch;

export type HttpTools = { readonly fetch: Fetch; readonly clock: Clock; readonly random: Random };

/** Full jitter on exponential growth: nodes that pull the same image at once must not come back at once. */
export function backoffMs(attempt: number, random: Random): number {
  return Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt) * (0.5 + random.float() / 2);
}

/** Whether the same request may succeed later. */
function isPassing(status: number): boolean {
  return status === 429 || status === 408 || (status >= 500 && status !== 501);
}

/**
 * Sends the request; retries network failures (once if nobody is there), 408, 429 and 5xx. Returns the last response, whatever its status, or throws
 * REGISTRY_UNREACHABLE after the last network failure. `signal` also ends the reading of the body.
 */
export async function requestWithRetry(
  tools: HttpTools,
  url: string,
  init: RequestInit,
  signal: AbortSignal,
): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    const isLast = attempt + 1 >= ATTEMPTS_MAX;
    try {
      const response = await requestOnce(tools, url, init, signal);
      if (!isPassing(response.status) || isLast) return response;
      const wait = retryAfterMs(response.headers.get("retry-after")) ?? 0;
      if (wait > RETRY_AFTER_MAX_MS) return response;
      await response.body?.cancel();
      await tools.clock.sleep(Math.max(wait, backoffMs(attempt, tools.random)), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ImageError) throw error;
      if (isLast || (isAbsent(error) && attempt + 1 >= ABSENT_ATTEMPTS_MAX)) {
        throw new ImageError(
          "REGISTRY_UNREACHABLE",
          `registry ${new URL(url).host} cannot be reached: ${reasonOf(error)}`,
          { cause: error },
        );
      }
      await tools.clock.sleep(backoffMs(attempt, tools.random), signal);
    }
  }
}

/** `fetch failed` carries the system's error as its cause. */
function isAbsent(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && ABSENT_CODES.has(cause.code);
}

async function requestOnce(
  { fetch, clock }: HttpTools,
  url: string,
  init: RequestInit,
  signal: AbortSignal,
): Promise<Response> {
  const slow = new AbortController();
  const stopTimer = clock.setTimer(HEADER_TIMEOUT_MS, () => {
    slow.abort(new Error(`no answer within ${HEADER_TIMEOUT_MS} ms`));
  });
  try {
    // The caller's signal stays wired after the headers: reading the body must end with it too.
    const both = AbortSignal.any([signal, slow.signal]);
    return await fetch(url, { ...init, signal: both, redirect: "follow" });
  } finally {
    stopTimer();
  }
}

function retryAfterMs(header: string | null): number | undefined {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

/** `fetch failed` says nothing; its cause does. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}
