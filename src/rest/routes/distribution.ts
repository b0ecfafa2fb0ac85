/** `GET /distribution/{name}/json`: what a registry says about an image now; the CLI pins services to the digest it answers. */
import type { FastifyInstance } from "fastify";
import { type ApiError, doorError } from "../../base/index.js";
import {
  decodeRegistryAuth,
  ImageError,
  type ImageErrorCode,
  resolveDistribution,
} from "../../worker/images/index.js";
import { headerOf, pathRef, type RestContext } from "../context.js";
import { sendJson } from "../reply.js";

/** A registry that cannot be reached holds up `service create` for no longer. */
const ANSWER_LIMIT_MS = 8_000;
/** Look-ups under way at the same time: more are refused, the CLI goes on without a digest. */
const LOOKUPS_MAX = 32;

const CODES = {
  IMAGE_NOT_FOUND: "NotFound",
  AUTH_FAILED: "Unauthenticated",
  REGISTRY_UNREACHABLE: "Unknown",
  INVALID: "InvalidArgument",
  FAILED: "Unknown",
} as const satisfies Record<ImageErrorCode, string>;

export function distributionRoutes(app: FastifyInstance, context: RestContext): void {
  const { clock, random, config } = context.deps;
  let underWayCount = 0;

  app.get("/distribution/*", async (request, reply) => {
    const rest = pathRef(request);
    if (!rest.endsWith("/json")) throw doorError("NotFound", "page not found");
    const name = rest.slice(0, -"/json".length);
    if (config.engine === "simulated") {
      throw doorError("NotFound", `${name}: no registry is asked (engine: simulated)`);
    }
    if (underWayCount >= LOOKUPS_MAX) {
      throw doorError("Unavailable", "too many registry look-ups at once; try again");
    }
    underWayCount += 1;
    const limit = new AbortController();
    const cancel = clock.setTimer(ANSWER_LIMIT_MS, () => {
      limit.abort(
        new Error(`no answer from the registry of ${name} in ${ANSWER_LIMIT_MS / 1000} s`),
      );
    });
    try {
      const found = await resolveDistribution(
        name,
        decodeRegistryAuth(headerOf(request, "x-registry-auth")),
        limit.signal,
        { fetch, clock, random },
      );
      return sendJson(reply, {
        Descriptor: { mediaType: found.mediaType, digest: found.digest, size: found.sizeBytes },
        Platforms: found.platforms,
      });
    } catch (error) {
      throw asDoorError(error);
    } finally {
      cancel();
      underWayCount -= 1;
    }
  });
}

function asDoorError(error: unknown): ApiError {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof ImageError ? CODES[error.code] : "Unknown";
  return doorError(code, message, { cause: error });
}
