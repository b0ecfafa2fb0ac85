/** The one place where failures become answers: `{"message":"…"}` with the Engine's status. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "../base/index.js";
import { wantsPlainErrors } from "./api-version.js";
import type { RestContext } from "./context.js";
import { sendJson } from "./reply.js";

export function sendFailure(
  context: RestContext,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { status, message } = describeFailure(error);
  if (status === 500 && !(error instanceof ApiError)) {
    context.deps.logger.error(
      { err: error, method: request.method, path: request.url },
      "request failed unexpectedly",
    );
  }
  if (wantsPlainErrors(context.versionOf(request.raw))) {
    return reply
      .code(status)
      .header("Content-Type", "text/plain; charset=utf-8")
      .header("X-Content-Type-Options", "nosniff")
      .send(`${message}\n`);
  }
  return sendJson(reply, { message }, status);
}

export function describeFailure(error: unknown): {
  readonly status: number;
  readonly message: string;
} {
  if (error instanceof ApiError) return { status: error.http, message: error.restMessage };
  const message = error instanceof Error ? error.message : String(error);
  // Fastify's own complaints (bad path encoding, bad headers) carry a status.
  const status =
    error instanceof Error && "statusCode" in error && typeof error.statusCode === "number"
      ? error.statusCode
      : 500;
  return { status, message };
}
