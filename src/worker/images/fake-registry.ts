/** A registry on loopback for tests: authentication, tokens, redirects, and faults on demand. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { sha256 } from "./assemble.js";
import type { FixtureImage } from "./image-fixture.js";
import { MEDIA } from "./manifest.js";

export type RegistryRule = {
  readonly kind: "open" | "basic" | "bearer";
  readonly user?: string;
  readonly password?: string;
};

/** Returns true if it has answered. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

export class FakeRegistry implements AsyncDisposable {
  readonly requests: { readonly url: string; readonly authorization: string | undefined }[] = [];
  fault: Fault = () => false;
  /** Blobs answer with a redirect to this origin instead. */
  blobOrigin: string | undefined;
  readonly #rule: RegistryRule;
  readonly #documents = new Map<string, { readonly type: string; readonly bytes: Uint8Array }>();
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #server: Server;

  private constructor(rule: RegistryRule) {
    this.#rule = rule;
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  static async start(rule: RegistryRule = { kind: "open" }): Promise<FakeRegistry> {
    const registry = new FakeRegistry(rule);
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  /** `127.0.0.1:port` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  push(repository: string, tag: string, image: FixtureImage): void {
    const { digest, bytes } = image.manifest;
    for (const name of [tag, digest])
      this.#documents.set(`${repository}/manifests/${name}`, { type: MEDIA.dockerManifest, bytes });
    for (const [name, blob] of image.blobs) this.#blobs.set(name, blob);
  }

  /** An index over images already pushed to the repository. Returns its digest. */
  pushIndex(repository: string, tag: string, manifests: readonly object[]): string {
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests }),
    );
    const digest = sha256(bytes);
    for (const name of [tag, digest])
      this.#documents.set(`${repository}/manifests/${name}`, { type: MEDIA.ociIndex, bytes });
    return digest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", `http://${this.host}`);
    this.requests.push({ url: url.pathname, authorization: request.headers.authorization });
    if (this.fault(request, response)) return;
    if (url.pathname === "/token") {
      this.#token(request, response);
    } else if (!this.#isAllowed(request)) {
      const challenge =
        this.#rule.kind === "basic"
          ? 'Basic realm="fake"'
          : `Bearer realm="http://${this.host}/token",service="fake",scope="repository:x:pull"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
    } else {
      this.#answer(url.pathname, request, response);
    }
  }

  #answer(path: string, request: IncomingMessage, response: ServerResponse): void {
    const digest = /\/blobs\/(sha256:[0-9a-f]+)$/.exec(path)?.[1];
    const blob = this.#blobs.get(digest ?? "");
    if (blob !== undefined && this.blobOrigin !== undefined) {
      response.writeHead(307, { location: `${this.blobOrigin}${path}` }).end();
    } else if (blob !== undefined) {
      sendBlob(blob, request, response);
    } else {
      const document = this.#documents.get(path.replace("/v2/", ""));
      if (document === undefined) {
        const body = { errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] };
        response.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify(body));
      } else {
        response
          .writeHead(200, {
            "content-type": document.type,
            "docker-content-digest": sha256(document.bytes),
          })
          .end(document.bytes);
      }
    }
  }

  #isAllowed(request: IncomingMessage): boolean {
    const { kind } = this.#rule;
    const header = request.headers.authorization;
    if (kind === "open") return true;
    return kind === "basic" ? header === this.#basic() : header === "Bearer good-token";
  }

  #token(request: IncomingMessage, response: ServerResponse): void {
    const { user } = this.#rule;
    const isGood = user === undefined || request.headers.authorization === this.#basic();
    response
      .writeHead(isGood ? 200 : 401, { "content-type": "application/json" })
      .end(JSON.stringify(isGood ? { token: "good-token" } : { details: "bad credentials" }));
  }

  #basic(): string {
    const { user = "", password = "" } = this.#rule;
    return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  }
}

function sendBlob(blob: Uint8Array, request: IncomingMessage, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (from > 0) {
    const range = `bytes ${from}-${blob.length - 1}/${blob.length}`;
    response.writeHead(206, { "content-range": range, "content-length": blob.length - from });
  } else {
    response.writeHead(200, { "content-length": blob.length });
  }
  response.end(blob.subarray(from));
}
