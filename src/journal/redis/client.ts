/** A connection to the journal's Redis, whatever stands behind the URL. Retries are the caller's: nothing waits inside the client. */
import { createRequire } from "node:module";
import type * as Ioredis from "ioredis";
import type { Cluster, Redis, RedisOptions } from "ioredis";
import type { RedisTarget } from "../core/index.js";

/** Until a connection stands; until a command is answered. A slow Redis is given up and asked again later. */
export const CONNECT_TIMEOUT_MS = 5000;
export const COMMAND_TIMEOUT_MS = 5000;

export type RedisClient = Redis | Cluster;

/** 4 MiB that only clusters with a Redis pay for, on the managers that use it. */
function library(): typeof Ioredis {
  return createRequire(import.meta.url)("ioredis") as typeof Ioredis;
}

/** Not connected yet. `caPem`: trusted instead of the system's authorities. */
export function createClient(target: RedisTarget, caPem: string | undefined): RedisClient {
  const { Cluster, Redis } = library();
  const { username, password, hosts, isTls } = target;
  const tls = isTls ? { tls: caPem === undefined ? {} : { ca: caPem } } : {};
  const common = {
    ...(username !== "" && { username }),
    ...(password !== "" && { password }),
    ...tls,
    protocol: 2,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
  } as const satisfies RedisOptions;
  const alone = { ...common, lazyConnect: true, enableOfflineQueue: false, retryStrategy: never };
  switch (target.kind) {
    case "single": {
      const [first] = hosts;
      return quiet(new Redis({ ...alone, ...first, db: target.db }));
    }
    case "sentinel":
      return quiet(
        new Redis({
          ...alone,
          name: target.masterName,
          sentinels: [...hosts],
          // User and password are for the master: sentinels that want none refuse them.
          db: target.db,
          sentinelRetryStrategy: never,
          sentinelReconnectStrategy: never,
          enableTLSForSentinelMode: isTls,
          ...(isTls && { sentinelTLS: tls.tls ?? {} }),
          sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
        }),
      );
    case "cluster":
      return quiet(
        new Cluster([...hosts], {
          lazyConnect: true,
          enableOfflineQueue: false,
          clusterRetryStrategy: never,
          slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
          // Names in the certificates are of hosts, not of the addresses that the cluster announces.
          dnsLookup: (address, callback) => {
            callback(null, address);
          },
          redisOptions: common,
        }),
      );
  }
}

/**
 * Resolves when the client is ready. A cluster's own promise stays open for ever when the cluster is found not ready, so its end is
 * watched too.
 */
export function connectClient(client: RedisClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once("end", () => {
      reject(new Error("the connection was closed before it was ready"));
    });
    client.connect().then(resolve, reject);
  });
}

function never(): null {
  return null;
}

/** Failures are seen where the command or the connection is awaited; without a listener they would end the process. */
function quiet<T extends RedisClient>(client: T): T {
  client.on("error", () => undefined);
  return client;
}
