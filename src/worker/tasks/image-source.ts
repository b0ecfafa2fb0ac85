/** Gets images for tasks: tries the registry, falls back to what is here; concurrent pulls of one image are one pull. */
import type { Clock, Logger } from "../../base/index.js";
import { type Engine, EngineError, type ImageInfo, type RegistryAuth } from "../engine/port.js";
import { Limiter } from "../limiter.js";

/** Different images pulled at a time. */
const PULL_MAX = 3;
/** The answer for one image is good for this long: replicas that start together ask the registry once. */
const FRESH_MS = 10_000;
/** Answers remembered. */
const FRESH_COUNT_MAX = 256;
/** With the image here, a registry has this long to show a sign of life; without it, as long as the engine tries. */
const PATIENCE_MS = 1_500;
/** While a registry is away it is asked again in the background, at most this often; nobody waits for it. */
const RETRY_AWAY_MS = 5_000;

type Answer = { readonly image: ImageInfo } | { readonly error: unknown };
type Pull = {
  readonly controller: AbortController;
  readonly done: Promise<Answer>;
  readonly progress: { readonly hasBegun: boolean };
  waiterCount: number;
};

export class ImageSource {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limiter = new Limiter(PULL_MAX);
  readonly #pulls = new Map<string, Pull>();
  /** Registry that did not answer → when it was asked last (monotonic ms). */
  readonly #away = new Map<string, number>();
  readonly #fresh = new Map<string, { readonly answer: Answer; readonly atMs: number }>();

  constructor(options: {
    readonly engine: Engine;
    readonly clock: Clock;
    readonly logger: Logger;
  }) {
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /**
   * The image for a container. Always asks the registry, unless the reference is an id or digest that is here already; an
   * image that is here is used when the registry fails or stays silent. Rejects EngineError with the text for the task's
   * status.
   */
  async get(reference: string, registryAuth: string, signal: AbortSignal): Promise<ImageInfo> {
    const here = await this.#engine.image(reference);
    const host = registryHost(reference);
    if (here !== undefined && isPinned(reference)) return here;
    if (here !== undefined && this.#away.has(host)) {
      this.#askAgain(reference, registryAuth, host);
      return here;
    }
    const answer = await this.#pullOnce(reference, registryAuth, here !== undefined, signal);
    this.#note(host, answer);
    if ("image" in answer) return answer.image;
    const { error } = answer;
    if (error instanceof EngineError && error.code === "ENGINE_DOWN") throw error;
    if (here === undefined) throw explain(reference, error);
    this.#logger.debug({ error, image: reference }, "pull failed; using the image that is here");
    return here;
  }

  /** A registry that was away is asked behind the caller's back: once it answers, later calls wait for it again. */
  #askAgain(reference: string, auth: string, host: string): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - (this.#away.get(host) ?? 0) < RETRY_AWAY_MS) return;
    this.#away.set(host, nowMs);
    const pull =
      this.#pulls.get(`${reference}\n${auth}`) ??
      this.#begin(`${reference}\n${auth}`, reference, auth);
    pull.waiterCount += 1;
    void pull.done.then((answer) => {
      pull.waiterCount -= 1;
      this.#note(host, answer);
    }); // never rejects
  }

  /** Any answer but silence shows that the registry is there. */
  #note(host: string, answer: Answer): void {
    const error = "error" in answer ? answer.error : undefined;
    if (error instanceof EngineError && error.code === "ENGINE_DOWN") return;
    if (!(error instanceof EngineError && error.code === "REGISTRY_UNREACHABLE")) {
      this.#away.delete(host);
      return;
    }
    if (!this.#away.has(host)) {
      this.#logger.warn(
        { error, registry: host },
        "registry is away; images that are here are used",
      );
    }
    if (this.#away.size >= FRESH_COUNT_MAX) this.#away.clear();
    this.#away.set(host, this.#clock.nowMs());
  }

  async #pullOnce(
    reference: string,
    auth: string,
    isHere: boolean,
    signal: AbortSignal,
  ): Promise<Answer> {
    const key = `${reference}\n${auth}`;
    const fresh = this.#fresh.get(key);
    if (fresh !== undefined && this.#clock.nowMs() - fresh.atMs < FRESH_MS) return fresh.answer;
    const pull = this.#pulls.get(key) ?? this.#begin(key, reference, auth);
    pull.waiterCount += 1;
    let cancel: () => void = () => undefined;
    const silence = new Promise<Answer>((resolve) => {
      if (!isHere) return;
      cancel = this.#clock.setTimer(PATIENCE_MS, () => {
        const text = `${registryHost(reference)} did not answer within ${PATIENCE_MS / 1_000} s`;
        const error = new EngineError("REGISTRY_UNREACHABLE", text);
        if (!pull.progress.hasBegun) resolve({ error });
      });
    });
    try {
      return await untilAborted(Promise.race([pull.done, silence]), signal);
    } finally {
      cancel();
      pull.waiterCount -= 1;
      if (pull.waiterCount === 0) pull.controller.abort(new Error("nobody wants the image now"));
    }
  }

  #begin(key: string, reference: string, auth: string): Pull {
    const controller = new AbortController();
    const { signal } = controller;
    const progress = { hasBegun: false };
    const onProgress = (): void => {
      progress.hasBegun = true;
    };
    const done = this.#limiter
      .run(signal, () =>
        this.#engine.pull(reference, { auth: parseRegistryAuth(auth), onProgress, signal }),
      )
      .then(
        (image): Answer => ({ image }),
        (error: unknown): Answer => ({ error }),
      )
      .then((answer) => {
        this.#pulls.delete(key);
        if (!signal.aborted) this.#remember(key, answer);
        return answer;
      });
    const pull: Pull = { controller, done, progress, waiterCount: 0 };
    this.#pulls.set(key, pull);
    return pull;
  }

  #remember(key: string, answer: Answer): void {
    // A dead engine says nothing about the image.
    if (
      "error" in answer &&
      answer.error instanceof EngineError &&
      answer.error.code === "ENGINE_DOWN"
    ) {
      return;
    }
    this.#fresh.delete(key);
    this.#fresh.set(key, { answer, atMs: this.#clock.nowMs() });
    for (const oldest of this.#fresh.keys()) {
      if (this.#fresh.size <= FRESH_COUNT_MAX) break;
      this.#fresh.delete(oldest);
    }
  }
}

/** `reg.example:5000`, or docker.io for a reference without a host. */
function registryHost(reference: string): string {
  const first = reference.split("/")[0] ?? "";
  const isHost = reference.includes("/") && /[.:]|^localhost$/.test(first);
  return isHost ? first : "docker.io";
}

/** Given by digest or id: what is here under it can be nothing else. */
function isPinned(reference: string): boolean {
  return reference.includes("@sha256:") || /^(sha256:)?[0-9a-f]{64}$/.test(reference);
}

function explain(reference: string, error: unknown): Error {
  if (!(error instanceof EngineError))
    return error instanceof Error ? error : new Error(String(error));
  if (
    error.code === "IMAGE_NOT_FOUND" ||
    error.code === "AUTH_FAILED" ||
    error.code === "REGISTRY_UNREACHABLE"
  ) {
    const text = error.message.startsWith("No such image")
      ? error.message
      : `No such image: ${reference} (${error.message})`;
    return new EngineError(error.code, text, { cause: error });
  }
  return error;
}

/** The Engine API's X-Registry-Auth value; undefined for none or one that cannot be read. */
export function parseRegistryAuth(value: string): RegistryAuth | undefined {
  if (value === "") return undefined;
  try {
    const raw: unknown = JSON.parse(Buffer.from(value, "base64").toString("utf8"));
    if (typeof raw !== "object" || raw === null) return undefined;
    const field = (name: string): string | undefined => {
      const text = (raw as Readonly<Record<string, unknown>>)[name];
      return typeof text === "string" && text !== "" ? text : undefined;
    };
    const [username, password] = [field("username"), field("password")];
    const [identityToken, registryToken] = [field("identitytoken"), field("registrytoken")];
    const auth = {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(identityToken === undefined ? {} : { identityToken }),
      ...(registryToken === undefined ? {} : { registryToken }),
    };
    return Object.keys(auth).length === 0 ? undefined : auth;
  } catch {
    return undefined;
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
