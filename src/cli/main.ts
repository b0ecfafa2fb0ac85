#!/usr/bin/env node
/** The operator's command. A client of the Engine API plus our extensions; keeps no state of its own. */
import { Command } from "commander";
import { addPlaygroundCommands } from "./commands/playground.js";
import { printError } from "./output.js";

const program = new Command("swarm")
  .description("Operate a swarm cluster")
  .option(
    "-H, --host <socket>",
    "node to talk to, unix://PATH",
    process.env["SWARM_HOST"] ?? process.env["DOCKER_HOST"] ?? "unix:///run/swarm/swarm.sock",
  )
  .showHelpAfterError("(see --help)");
addPlaygroundCommands(program);

program.parseAsync().catch((error: unknown) => {
  printError(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
