import tls from "node:tls";

/**
 * From here on this process speaks TLS 1.3 or nothing, as server and as client: every peer of a manager is one of our own programs.
 * grpc-js hands no minimum version on, so the process's default is the only place to say it. Not for workers: registries may still
 * speak TLS 1.2. To be called before the first server or channel is made.
 */
export function requireTls13(): void {
  tls.DEFAULT_MIN_VERSION = "TLSv1.3";
}
