/** A service that is asked all the time, from a task beside it and from outside, while something is done to it. */
import { existsSync } from "node:fs";
import { expect } from "vitest";
import type { ApiTask } from "../../src/cli/api-types.js";
import { type LoadReport, startLoad } from "./load.js";
import { makeNetworks, on, pageFrom, pidOf, vipOf } from "./on-networks.js";
import { create, eventually, fetchFrom, type TestNode, untilRunning } from "./playground.js";

export const SERVICE = "web";
export const REPLICAS = 3;
const PORT = 8_181;
const CLIENTS = 8;
/** Between a client's requests: load, but no contest for this machine's cores. */
const PAUSE_MS = 8;
/** A fifth of the 500 requests a second that nobody is to notice a rollout at. */
const LEAST_PER_SECOND = 100;
const SECOND_NS = 1_000_000_000;

/** A server of the machine's own Node, in a container that sees this machine's programs. On SIGTERM it finishes what it began. */
const FINISHING_SERVER = {
  command: [process.execPath, "/srv/finishing-server.mjs", "80"],
  container: {
    StopGracePeriod: 8 * SECOND_NS,
    Mounts: [
      { Source: new URL(".", import.meta.url).pathname, Target: "/srv" },
      ...["/usr", "/lib", "/lib64"].map((path) => ({ Source: path, Target: path })),
    ]
      .filter(({ Source }) => existsSync(Source))
      .map((mount) => ({ Type: "bind", ReadOnly: true, ...mount })),
    Healthcheck: {
      Test: ["CMD", "/bin/wget", "-qO-", "http://127.0.0.1/"],
      Interval: SECOND_NS,
      Timeout: 5 * SECOND_NS,
      StartPeriod: 10 * SECOND_NS,
      StartInterval: SECOND_NS / 5,
      Retries: 3,
    },
  },
};

/** On the network "app", and on every node's port. */
export function published(replicas: number, port: number): object {
  const Ports = [{ Protocol: "tcp", TargetPort: 80, PublishedPort: port, PublishMode: "ingress" }];
  return { ...on("app"), replicas, rest: { EndpointSpec: { Mode: "vip", Ports } } };
}

export type Mode = "close" | "keep-alive";

export type UnderLoad = {
  /** Where the load from beside the service comes from. */
  readonly client: ApiTask;
  /** Ends the load; fails if a request was lost or took too long, or there was hardly any load. */
  allAnswered(): Promise<void>;
};

/** The load from outside goes to the port of `entry`. */
export async function underLoad(
  manager: TestNode,
  entry: TestNode,
  mode: Mode,
): Promise<UnderLoad> {
  await makeNetworks(manager, ["app"]);
  await create(manager, SERVICE, { ...FINISHING_SERVER, ...published(REPLICAS, PORT) });
  await untilRunning(manager, SERVICE, REPLICAS);
  await create(manager, "near", { ...on("app"), replicas: 1 });
  const [client] = await untilRunning(manager, "near", 1);
  if (client === undefined) throw new Error("no client");
  const url = `http://${entry.addr}:${PORT}/`;
  await eventually("the service answers", 20_000, () => pageFrom(client, SERVICE));
  await eventually("its port answers", 20_000, () => fetchFrom("swarmpg-outside", url));
  const vip = await vipOf(manager, SERVICE, "app");
  const beside = ["-t", String(pidOf(client))];
  const outside = ["--net=/run/netns/swarmpg-outside"];
  const loads = [
    startLoad(beside, `http://${vip}/`, CLIENTS, mode, PAUSE_MS),
    startLoad(outside, url, CLIENTS, mode, PAUSE_MS),
  ];
  return {
    client,
    async allAnswered() {
      const reports: LoadReport[] = await Promise.all(loads.map((load) => load.stop()));
      console.log(mode, JSON.stringify(reports));
      for (const report of reports) {
        expect(report).toMatchObject({ failures: 0, failed: [] });
        // 5 × the 1 s that no request takes longer than.
        expect(report.slowestMs).toBeLessThan(5_000);
      }
      const perSecond = reports.reduce((sum, report) => sum + report.perSecond, 0);
      expect(perSecond).toBeGreaterThan(LEAST_PER_SECOND);
    },
  };
}
