import { spawn } from "node:child_process";
import type { Command } from "commander";
import { EngineClient } from "../client.js";
import { print, table } from "../output.js";
import { runDemo } from "../playground/demo.js";
import {
  down,
  type Layout,
  OUTSIDE_NETNS,
  playgroundStatus,
  REAL_LAYOUT,
  simulatedLayout,
  up,
} from "../playground/index.js";

type SimulatedFlag = { readonly simulated?: boolean };

function layoutOf(options: SimulatedFlag): Layout {
  return options.simulated === true ? simulatedLayout() : REAL_LAYOUT;
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`"${text}" is not a whole number`);
  return value;
}

/** `swarm playground …`: a whole cluster on this machine. */
export function addPlaygroundCommands(program: Command): void {
  const playground = program
    .command("playground")
    .description(
      "A whole cluster on this machine: hosts are network namespaces, everything else is real",
    );
  playground
    .command("up")
    .description("Bring the playground up; repeated, it finds what runs and starts what does not")
    .option("--managers <count>", "number of managers", positiveInteger, 3)
    .option("--workers <count>", "number of workers", positiveInteger, 2)
    .option("--simulated", "simulated engine and network, as any user")
    .option("--demo", "run the demo service and show it")
    .action(
      async (options: { managers: number; workers: number; demo?: boolean } & SimulatedFlag) => {
        const layout = layoutOf(options);
        const from = performance.now();
        const say = (line: string): void =>
          print(`${((performance.now() - from) / 1000).toFixed(1).padStart(6)} s  ${line}`);
        await up({ layout, managerCount: options.managers, workerCount: options.workers, say });
        if (options.demo === true) await runDemo(layout, say);
        else
          print(
            `up; look at it: swarm playground status${layout.isSimulated ? " --simulated" : ""}`,
          );
      },
    );
  playground
    .command("down")
    .description("Remove the playground: processes, containers, namespaces, files")
    .option("--simulated", "the simulated one")
    .action(async (options: SimulatedFlag) => {
      const wasUp = await down(layoutOf(options), print);
      print(wasUp ? "the playground is gone" : "no playground was up; nothing is left of one");
    });
  playground
    .command("status")
    .description("Nodes, addresses, sockets and processes")
    .option("--simulated", "the simulated one")
    .option("--format <format>", "json, or a table when absent")
    .action(async (options: SimulatedFlag & { format?: string }) => {
      const status = await playgroundStatus(layoutOf(options));
      if (status === undefined)
        throw new Error("no playground is up; start one: swarm playground up");
      if (options.format === "json") {
        print(JSON.stringify(status, undefined, 2));
        return;
      }
      const rows = status.nodes.map((node) => [
        node.name,
        node.role,
        node.addr,
        node.state,
        node.socket,
        Object.values(node.pids)
          .map((pid) => pid ?? "-")
          .join(" "),
      ]);
      const head = [
        "NODE",
        "ROLE",
        "ADDRESS",
        "STATE",
        "SOCKET",
        "PIDS (supervisor front worker net)",
      ];
      for (const line of table([head, ...rows])) print(line);
    });
  playground
    .command("exec <node> [command...]")
    .description("Run a command in a node's network namespace: swarm playground exec w1 -- ip addr")
    .action(async (name: string, command: string[]) => {
      const status = await playgroundStatus(REAL_LAYOUT);
      const node = status?.nodes.find((candidate) => candidate.name === name);
      if (node === undefined) throw new Error(`no node ${name} in the playground`);
      await enter(node.netns, command, {
        DOCKER_HOST: `unix://${node.socket}`,
        SWARM_HOST: `unix://${node.socket}`,
      });
    });
  playground
    .command("outside [command...]")
    .description(
      "Run a command on the hosts' network, but on no node: swarm playground outside -- wget …",
    )
    .action(async (command: string[]) => {
      await enter(OUTSIDE_NETNS, command, {});
    });
  playground
    .command("load <file> <node...>")
    .description("Load an image archive into the given nodes of the playground")
    .action(async (file: string, names: string[]) => {
      const { createReadStream } = await import("node:fs");
      const status = await playgroundStatus(REAL_LAYOUT);
      for (const name of names) {
        const node = status?.nodes.find((candidate) => candidate.name === name);
        if (node === undefined) throw new Error(`no node ${name} in the playground`);
        await new EngineClient(node.socket).call("POST", "/images/load?quiet=1", {
          stream: createReadStream(file),
        });
        print(`loaded on ${name}`);
      }
    });
}

function enter(netns: string, command: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const [program = "sh", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn("nsenter", [`--net=/run/netns/${netns}`, program, ...args], {
      stdio: "inherit",
      env: { ...process.env, ...env },
    });
    child.on("error", reject);
    child.on("close", (code) => {
      process.exitCode = code ?? 1;
      resolve();
    });
  });
}
