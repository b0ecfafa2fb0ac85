/** Who we are to one registry, for one repository: answers its challenges and keeps the token for the pull's length. */
import type { RegistryAuth } from "../engine/index.js";
import { type Challenge, parseChallenge } from "./challenge.js";
import { ImageError } from "./errors.js";
import { type HttpTools, requestWithRetry } from "./http-attempts.js";

const TOKEN_BYTES_MAX = 256 * 1024;
const CLIENT_ID = "swarmd";

export class RegistrySession {
  readonly #tools: HttpTools;
  readonly #registry: URL;
  readonly #repository: string;
  readonly #auth: RegistryAuth | undefined;
  #header: string | undefined;

  /** `registry`: its base URL; `repository`: the path, for the scope to ask. */
  constructor(tools: HttpTools, registry: URL, repository: string, auth: RegistryAuth | undefined) {
    this.#tools = tools;
    this.#registry = registry;
    this.#repository = repository;
    this.#auth = auth;
    if (auth?.registryToken !== undefined) this.#header = `Bearer ${auth.registryToken}`;
  }

  /** Sends a request; a 401 is answered once with what the registry asks for. Other statuses are the caller's. */
  async send(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const url = new URL(path, this.#registry).href;
    const first = await this.#attempt(url, init, signal);
    if (first.status !== 401) return first;
    const challenge = parseChallenge(first.headers.get("www-authenticate") ?? "");
    await first.body?.cancel();
    if (challenge === undefined) throw this.denied("the registry offers no known authentication");
    this.#header = await this.#answer(challenge, signal);
    const second = await this.#attempt(url, init, signal);
    if (second.status !== 401) return second;
    await second.body?.cancel();
    throw this.denied();
  }

  /** docker's words for 401 and 403: the registry does not tell a missing repository from a forbidden one. */
  denied(detail?: string): ImageError {
    const why = detail === undefined ? "" : `: ${detail}`;
    return new ImageError(
      "AUTH_FAILED",
      `pull access denied for ${this.#repository}, repository does not exist or may require 'docker login'${why}`,
    );
  }

  #attempt(url: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const headers = new Headers(init.headers);
    // fetch drops this header when a redirect leads to another origin: storage back-ends never see it.
    if (this.#header !== undefined) headers.set("authorization", this.#header);
    return requestWithRetry(this.#tools, url, { ...init, headers }, signal);
  }

  async #answer(challenge: Challenge, signal: AbortSignal): Promise<string> {
    if (challenge.scheme === "bearer") return `Bearer ${await this.#token(challenge, signal)}`;
    if (this.#auth?.username === undefined) throw this.denied("no basic auth credentials");
    return basic(this.#auth.username, this.#auth.password ?? "");
  }

  async #token(
    challenge: Extract<Challenge, { scheme: "bearer" }>,
    signal: AbortSignal,
  ): Promise<string> {
    const realm = this.#realm(challenge.realm);
    const scope = challenge.scope ?? `repository:${this.#repository}:pull`;
    const response =
      this.#auth?.identityToken === undefined
        ? await this.#getToken(realm, challenge.service, scope, signal)
        : await this.#refreshToken(realm, challenge.service, scope, signal);
    if (!response.ok) {
      await response.body?.cancel();
      if (response.status === 400 || response.status === 401 || response.status === 403)
        throw this.denied("unauthorized: incorrect username or password");
      throw new ImageError(
        "REGISTRY_UNREACHABLE",
        `token service ${realm.host} answered ${response.status}`,
      );
    }
    const text = await response.text();
    const token = text.length > TOKEN_BYTES_MAX ? undefined : readToken(text);
    if (token === undefined) throw this.denied(`token service ${realm.host} sent no token`);
    return token;
  }

  /** Credentials go to the realm the registry names; never in clear text unless the registry itself is on this machine. */
  #realm(text: string): URL {
    const realm = URL.canParse(text) ? new URL(text) : undefined;
    if (realm?.protocol === "https:") return realm;
    if (realm?.protocol === "http:" && this.#registry.protocol === "http:") return realm;
    throw this.denied(`the registry names an unsafe token service "${text}"`);
  }

  #getToken(
    realm: URL,
    service: string | undefined,
    scope: string,
    signal: AbortSignal,
  ): Promise<Response> {
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set("service", service);
    // One challenge may ask for several scopes, separated by blanks.
    for (const part of scope.split(" ")) url.searchParams.append("scope", part);
    const user = this.#auth?.username;
    if (user !== undefined) url.searchParams.set("account", user);
    const headers =
      user === undefined ? {} : { authorization: basic(user, this.#auth?.password ?? "") };
    return requestWithRetry(this.#tools, url.href, { headers }, signal);
  }

  #refreshToken(
    realm: URL,
    service: string | undefined,
    scope: string,
    signal: AbortSignal,
  ): Promise<Response> {
    const body = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: this.#auth?.identityToken ?? "",
      service: service ?? "",
      scope,
      client_id: CLIENT_ID,
    });
    return requestWithRetry(this.#tools, realm.href, { method: "POST", body }, signal);
  }
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function readToken(text: string): string | undefined {
  try {
    const raw: unknown = JSON.parse(text);
    if (typeof raw !== "object" || raw === null) return undefined;
    const token: unknown = Reflect.get(raw, "token") ?? Reflect.get(raw, "access_token");
    return typeof token === "string" && token !== "" ? token : undefined;
  } catch {
    return undefined;
  }
}
