/** Every failure that leaves the engine becomes an EngineError here: the one place where codes are decided. */
import { SpecError } from "../../core/oci/index.js";
import { ImageError, type ImageErrorCode } from "../../images/index.js";
import { EngineError, type EngineErrorCode } from "../port.js";
import { isDaemonAway, RPC, RpcError } from "./rpc-error.js";

const IMAGE_CODES = {
  IMAGE_NOT_FOUND: "IMAGE_NOT_FOUND",
  AUTH_FAILED: "AUTH_FAILED",
  REGISTRY_UNREACHABLE: "REGISTRY_UNREACHABLE",
  INVALID: "INVALID_SPEC",
  FAILED: "FAILED",
} as const satisfies Record<ImageErrorCode, EngineErrorCode>;

const NO_SPACE = /no space left on device|disk quota exceeded/i;

/**
 * runc's and the shim's words for a spec that cannot run here. They come with code UNKNOWN, so there is only the text;
 * an unknown text is FAILED, which is retried.
 */
const INVALID_SPEC: readonly RegExp[] = [
  /executable file not found in \$PATH/,
  /exec: "?[^"]*"?: (?:stat .*: )?(?:no such file or directory|permission denied|is a directory)/,
  /exec format error/,
  /error setting rlimit/,
  /chdir to cwd/,
  /error mounting .* to rootfs/,
  /not a directory: unknown: Are you trying to mount/i,
  /open sysctl|sysctl .* (?:is not in|not allowed)|write sysctl key/,
  /(?:error|unable) .*seccomp|seccomp.*(?:invalid|unsupported)/i,
  /apparmor.*(?:not loaded|failed to apply)/i,
  /unknown capability|invalid capability/i,
  /invalid (?:mount|propagation)/i,
  /memory\.(?:memsw\.)?limit_in_bytes|memory\.max|cpu\.cfs_quota_us|cpu\.max|memory\.swappiness/,
];

export function toEngineError(error: unknown, socketPath: string): unknown {
  if (error instanceof EngineError) return error;
  if (error instanceof SpecError)
    return new EngineError("INVALID_SPEC", error.message, { cause: error });
  if (error instanceof ImageError)
    return new EngineError(IMAGE_CODES[error.code], error.message, { cause: error });
  if (error instanceof RpcError) return fromRpc(error, socketPath);
  if (hasCode(error, "ENOSPC") || hasCode(error, "EDQUOT"))
    return new EngineError("NO_SPACE", messageOf(error), { cause: error });
  // Aborts keep the caller's own reason; what is left is a bug or an unforeseen failure and is not dressed up.
  return error;
}

function fromRpc(error: RpcError, socketPath: string): EngineError {
  const options = { cause: error };
  if (isDaemonAway(error)) return engineDown(socketPath, error.message, options);
  if (error.code === RPC.NOT_FOUND) return new EngineError("NOT_FOUND", error.message, options);
  const text = shorten(error.message);
  if (NO_SPACE.test(text)) return new EngineError("NO_SPACE", text, options);
  if (INVALID_SPEC.some((pattern) => pattern.test(text)))
    return new EngineError("INVALID_SPEC", text, options);
  return new EngineError("FAILED", text, options);
}

export function engineDown(
  socketPath: string,
  detail: string,
  options?: ErrorOptions,
): EngineError {
  return new EngineError(
    "ENGINE_DOWN",
    `cannot reach containerd at ${socketPath}: ${shorten(detail)}; start it (systemctl start containerd) or set --containerd-address`,
    options,
  );
}

/** runc's layers of prefixes say nothing to a user; the last part does. */
function shorten(text: string): string {
  return text
    .replace(/^(?:\d+ [A-Z_]+: )/, "")
    .replace(/failed to create shim(?: task)?: /, "")
    .replace(/OCI runtime (create|exec|start) failed: runc (?:create|exec|start) failed: /, "")
    .replace(/: unknown$/, "");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
