/** /images: list, inspect, pull, load, tag, remove; /distribution. */
import type { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import { doorError } from "../../base/index.js";
import { isTrue, matchesAny, matchesLabels, parseFilters } from "../core/filter/filters.js";
import type { Engine, ImageInfo } from "../engine/index.js";
import { parseRegistryAuth } from "../tasks/index.js";
import { hasContainer, runView, timeText } from "./container-view.js";
import type { HttpContext } from "./context.js";
import { toHttpError } from "./errors.js";
import { PullOutput, pullReference } from "./pull-output.js";

type Query = Readonly<Record<string, string | undefined>>;

const LIST_FILTERS = new Set(["reference", "dangling", "label"]);

export function addImageRoutes(app: FastifyInstance, context: HttpContext): void {
  const { engine } = context;
  let lookUpCount = 0;

  app.get<{ Querystring: Query }>("/images/json", async (request) => {
    const filters = parseFilters(request.query["filters"] ?? "", LIST_FILTERS);
    const images = await engine.images();
    return images
      .filter(
        (image) =>
          matchesLabels(filters["label"], image.config.Labels ?? {}) &&
          matchesAny(filters["dangling"], (value) => isTrue(value) === (image.tags.length === 0)) &&
          matchesAny(filters["reference"], (ref) =>
            image.tags.some((tag) => isReference(ref, tag)),
          ),
      )
      .sort((a, b) => b.createdAtMs - a.createdAtMs)
      .map(imageSummary);
  });

  app.get<{ Params: { "*": string } }>("/images/*", async (request) => {
    const name = imageName(request.params["*"], "/json");
    return imageDetail(await findImage(engine, name));
  });

  app.post<{ Querystring: Query }>("/images/create", (request, reply) =>
    pull(context, request.query, header(request.headers["x-registry-auth"]), reply),
  );

  app.post<{ Querystring: Query }>("/images/load", async (request, reply) => {
    const controller = new AbortController();
    request.raw.once("aborted", () => controller.abort(new Error("the client went away")));
    const names = await engine.load(request.body as Readable, controller.signal);
    reply.header("Content-Type", "application/json");
    return reply.send(
      names.map((name) => `${JSON.stringify({ stream: `Loaded image: ${name}\n` })}\r\n`).join(""),
    );
  });

  app.post<{ Params: { "*": string }; Querystring: Query }>("/images/*", async (request, reply) => {
    const name = imageName(request.params["*"], "/tag");
    const { repo, tag } = request.query;
    if (repo === undefined || repo === "") {
      throw doorError("InvalidArgument", "repo: name the new repository");
    }
    await findImage(engine, name);
    await engine.tagImage(name, `${repo}:${tag || "latest"}`);
    return reply.code(201).send();
  });

  app.delete<{ Params: { "*": string }; Querystring: Query }>("/images/*", async (request) => {
    const name = request.params["*"];
    const image = await findImage(engine, name);
    refuseIfUsed(context, name, image, isTrue(request.query["force"] ?? ""));
    const removed = await engine.removeImage(name);
    return removed.map((ref) => (ref.startsWith("sha256:") ? { Deleted: ref } : { Untagged: ref }));
  });

  app.get<{ Params: { "*": string } }>("/distribution/*", async (request) => {
    const name = imageName(request.params["*"], "/json");
    const auth = parseRegistryAuth(header(request.headers["x-registry-auth"]));
    if (lookUpCount >= LOOKUPS_MAX) {
      throw doorError("Unavailable", "too many registry look-ups at once; try again");
    }
    lookUpCount += 1;
    try {
      const signal = context.clock.timeout(RESOLVE_WITHIN_MS);
      const found = await engine.resolve(name, { auth, signal });
      return {
        Descriptor: { mediaType: found.mediaType, digest: found.digest, size: found.sizeBytes },
        Platforms: found.platforms,
      };
    } finally {
      lookUpCount -= 1;
    }
  });
}

/** A registry that cannot be reached holds up `service create` for no longer. */
const RESOLVE_WITHIN_MS = 8_000;
/** Look-ups under way at the same time: more are refused, the CLI goes on without a digest. */
const LOOKUPS_MAX = 32;

function header(value: string | readonly string[] | undefined): string {
  return typeof value === "string" ? value : (value?.[0] ?? "");
}

/** Image names contain slashes, so that the verb at the end is cut off by hand. */
function imageName(path: string, suffix: string): string {
  if (/\/(get|history|push)$/.test(path)) {
    throw doorError("Unimplemented", `/images/${path} is not supported yet`);
  }
  if (!path.endsWith(suffix)) throw doorError("NotFound", "page not found");
  return path.slice(0, -suffix.length);
}

async function findImage(engine: Engine, name: string): Promise<ImageInfo> {
  const image = await engine.image(name);
  if (image === undefined) throw doorError("NotFound", `No such image: ${name}`);
  return image;
}

/** `docker images NAME`: a repository, with or without tag; `*` stands for any part of it. */
function isReference(wanted: string, tag: string): boolean {
  const short = tag.replace(/^docker\.io\/(library\/)?/, "");
  const repository = short.slice(0, short.lastIndexOf(":"));
  const parts = wanted.split("*");
  return [tag, short, repository].some((name) => {
    if (parts.length === 1) return name === wanted;
    const [first = "", last = ""] = [parts[0], parts.at(-1)];
    return (
      name.startsWith(first) && name.endsWith(last) && name.length >= first.length + last.length
    );
  });
}

function imageSummary(image: ImageInfo): object {
  return {
    Id: image.id,
    ParentId: "",
    RepoTags: image.tags,
    RepoDigests: image.digests,
    Created: Math.floor(image.createdAtMs / 1_000),
    Size: image.sizeBytes,
    SharedSize: -1,
    VirtualSize: image.sizeBytes,
    Labels: image.config.Labels ?? null,
    Containers: -1,
  };
}

function imageDetail(image: ImageInfo): object {
  return {
    Id: image.id,
    RepoTags: image.tags,
    RepoDigests: image.digests,
    Parent: "",
    Comment: "",
    Created: timeText(image.createdAtMs),
    DockerVersion: "",
    Author: "",
    Config: image.config,
    Architecture: image.architecture,
    Os: image.os,
    Size: image.sizeBytes,
    VirtualSize: image.sizeBytes,
    GraphDriver: { Name: "overlayfs", Data: null },
    RootFS: { Type: "layers" },
    Metadata: { LastTagTime: "0001-01-01T00:00:00Z" },
  };
}

function refuseIfUsed(
  context: HttpContext,
  name: string,
  image: ImageInfo,
  isForced: boolean,
): void {
  // One of several tags can go: the image stays.
  if (image.tags.length > 1 && !image.id.includes(name)) return;
  for (const runner of context.tasks.runners()) {
    const { record } = runner;
    if (!hasContainer(record) || record.image?.id !== image.id) continue;
    const isRunning = runView(runner).state === "running";
    if (isForced && !isRunning) continue;
    throw doorError(
      "AlreadyExists",
      `conflict: unable to remove image "${name}" - container ${record.status.containerId.slice(0, 12)} ` +
        `${isRunning ? "is running from it; remove its service first" : "was made from it; use force"}`,
    );
  }
}

async function pull(
  context: HttpContext,
  query: Query,
  auth: string,
  reply: FastifyReply,
): Promise<void> {
  const { fromImage, tag, fromSrc, platform } = query;
  if (fromSrc !== undefined && fromSrc !== "") {
    throw doorError("Unimplemented", "image create: fromSrc is not supported yet");
  }
  if (platform !== undefined && platform !== "") {
    throw doorError("Unimplemented", "image create: platform is not supported yet");
  }
  if (fromImage === undefined || fromImage === "") {
    throw doorError("InvalidArgument", "fromImage: name the image to pull");
  }
  const reference = pullReference(fromImage, tag ?? "");
  const controller = new AbortController();
  reply.raw.once("close", () => controller.abort(new Error("the client went away")));
  const output = new PullOutput(reply.raw, reference, () => context.clock.nowMs());
  reply.hijack();
  try {
    const image = await context.engine.pull(reference, {
      auth: parseRegistryAuth(auth),
      onProgress: (progress) => output.progress(progress),
      signal: controller.signal,
    });
    output.done(image);
  } catch (error) {
    context.logger.info({ error, image: reference }, "pull failed");
    output.failed(toHttpError(error));
  }
}
