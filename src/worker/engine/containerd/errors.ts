/** containerd's failures as EngineErrors: the one place where codes are decided from codes and texts. */
import { EngineError } from "../port.js";
import { toEngineError } from "../to-engine-error.js";
import { isDaemonAway, RPC, RpcError } from "./rpc-error.js";

const NO_SPACE = /no space left on device|disk quota exceeded/i;

/**
 * runc's, crun's and the shim's words for a spec that cannot run here. They come with code UNKNOWN, so there is only the text;
 * an unknown text is FAILED, which is retried.
 */
const INVALID_SPEC: readonly RegExp[] = [
  /executable file (?:`[^`]*` )?not found in \$PATH/,
  /^open executable: /,
  /exec: "?[^"]*"?: (?:stat .*: )?(?:no such file or directory|permission denied|is a directory)/,
  /exec format error/i,
  /error setting rlimit|^setrlimit |^invalid rlimit /,
  /chdir to cwd|^chdir `/,
  /error mounting .* to rootfs|^mount `[^`]*` to `/,
  /not a directory: unknown: Are you trying to mount/i,
  /open sysctl|sysctl .* (?:is not in|not allowed|is not namespaced)|write sysctl key/,
  /^open \/proc\/sys\//,
  /(?:error|unable|invalid) .*seccomp|seccomp.*(?:invalid|unsupported)/i,
  /apparmor.*(?:not loaded|failed to apply)/i,
  /unknown capability|invalid capability/i,
  /invalid (?:mount|propagation)/i,
  /^OOM: the memory limit could be too low/,
  /cpu\.cfs_period_us/,
  /memory\.(?:memsw\.)?limit_in_bytes|memory\.max|cpu\.cfs_quota_us|cpu\.max|memory\.swappiness/,
];

/** Also what comes from containerd; the rest is as for every engine. */
export function fromContainerd(error: unknown, socketPath: string): unknown {
  return error instanceof RpcError ? fromRpc(error, socketPath) : toEngineError(error);
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

/** The runtime's layers of prefixes say nothing to a user; the last part does. */
export function shorten(text: string): string {
  return text
    .replace(/^(?:\d+ [A-Z_]+: )/, "")
    .replace(/failed to create shim(?: task)?: /, "")
    .replace(
      /OCI runtime (?:create|exec|start) failed: (?:runc (?:create|exec|start) failed: )?/,
      "",
    )
    .replace(/: unknown$/, "");
}
