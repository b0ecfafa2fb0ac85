import { ClientError, EngineClient } from "../client.js";
import { print, table } from "../output.js";
import { DEMO_IMAGE } from "./demo-image.js";
import type { Layout } from "./layout.js";
import { waitFor } from "./processes.js";
import { playgroundStatus } from "./status.js";

const SERVICE = "web";
const REPLICAS = 5;
const RUNNING_LIMIT_MS = 60_000;

type Task = {
  readonly Slot?: number;
  readonly NodeID?: string;
  readonly DesiredState: string;
  readonly Status: {
    readonly State: string;
    readonly Err?: string;
    readonly PortStatus?: { readonly Ports?: readonly { readonly PublishedPort: number }[] };
  };
};

/** Creates the demo service unless it is there, waits until it runs, shows where, and says what to try next. */
export async function runDemo(layout: Layout, say: (line: string) => void): Promise<void> {
  const status = await playgroundStatus(layout);
  const manager = status?.nodes.find((node) => node.role === "manager");
  if (status === undefined || manager === undefined) throw new Error("the playground is not up");
  const client = new EngineClient(manager.socket);
  const from = performance.now();
  const isNew = await createService(client);
  const running = await waitFor(`${REPLICAS} tasks of ${SERVICE} run`, RUNNING_LIMIT_MS, () =>
    runningTasks(client),
  );
  const took = ((performance.now() - from) / 1000).toFixed(2);
  say(
    isNew
      ? `service ${SERVICE}: ${running.length} replicas run, ${took} s after the request`
      : `service ${SERVICE} runs already`,
  );

  const rows = running.map((task) => {
    const node = status.nodes.find((candidate) => candidate.nodeId === task.NodeID);
    const port = task.Status.PortStatus?.Ports?.[0]?.PublishedPort;
    return [
      `${SERVICE}.${task.Slot ?? 0}`,
      node?.name ?? task.NodeID ?? "",
      task.Status.State,
      node === undefined || port === undefined ? "" : `http://${node.addr}:${port}/`,
    ];
  });
  print("");
  for (const line of table([["TASK", "NODE", "STATE", "ADDRESS"], ...rows.sort()]))
    print(`  ${line}`);
  print("");
  print("Try next:");
  const host = `DOCKER_HOST=unix://${manager.socket}`;
  print(`  ${host} docker service scale ${SERVICE}=20`);
  print(`  node dist/cli/main.js --host unix://${manager.socket} service ps ${SERVICE}`);
  const url = rows[0]?.[3];
  if (!layout.isSimulated && url !== undefined && url !== "") print(`  curl ${url}`);
  else print(`  ${host} docker node ls`);
  print(`and when done: npm run down${layout.isSimulated ? " -- --simulated" : ""}`);
}

async function createService(client: EngineClient): Promise<boolean> {
  try {
    await client.call("POST", "/services/create", {
      body: {
        Name: SERVICE,
        TaskTemplate: {
          ContainerSpec: {
            Image: DEMO_IMAGE,
            Env: ["TASK_NAME={{.Task.Name}}", "NODE_NAME={{.Node.Hostname}}"],
            StopGracePeriod: 1_000_000_000,
          },
        },
        Mode: { Replicated: { Replicas: REPLICAS } },
        EndpointSpec: { Ports: [{ Protocol: "tcp", TargetPort: 80, PublishMode: "host" }] },
      },
    });
    return true;
  } catch (error) {
    if (error instanceof ClientError && error.status === 409) return false;
    throw error;
  }
}

async function runningTasks(client: EngineClient): Promise<Task[] | undefined> {
  const filters = encodeURIComponent(
    JSON.stringify({ service: [SERVICE], "desired-state": ["running"] }),
  );
  const tasks = await client.call<Task[]>("GET", `/tasks?filters=${filters}`);
  const broken = tasks.find(
    (task) => task.Status.State === "rejected" || task.Status.State === "failed",
  );
  if (broken?.Status.Err !== undefined)
    throw new Error(`${SERVICE}.${broken.Slot}: ${broken.Status.Err}`);
  const running = tasks.filter((task) => task.Status.State === "running");
  return running.length >= Math.min(REPLICAS, tasks.length) && tasks.length > 0
    ? running
    : undefined;
}
