#!/usr/bin/env node
/** The operator's command. A client of the Engine API plus our extensions; keeps no state of its own. */
import { Command } from "commander";
import { packageVersion } from "../base/index.js";
import { ClientError } from "./client.js";
import { addAutolockCommands } from "./commands/autolock.js";
import { addClusterCommands } from "./commands/cluster.js";
import { addImageCommands } from "./commands/image.js";
import { addJournalCommands } from "./commands/journal.js";
import { addNetworkCommands } from "./commands/network.js";
import { addNodeCommands } from "./commands/node.js";
import { addPlaygroundCommands } from "./commands/playground.js";
import { addRunCommands } from "./commands/run.js";
import { addServiceCommands } from "./commands/service.js";
import { addSwarmUpdate } from "./commands/swarm-update.js";
import { addWhyCommand } from "./commands/why.js";
import { ExitError } from "./exit-codes.js";
import { printError } from "./output.js";

const DEFAULT_HOST = "unix:///run/swarm/swarm.sock";

const program = new Command("swarm")
  .description("Operate a swarm cluster")
  .version(packageVersion(), "-v, --version", "print the version of this command")
  .enablePositionalOptions()
  .option(
    "-H, --host <socket>",
    "node to talk to, unix://PATH (also SWARM_HOST)",
    process.env["SWARM_HOST"] ?? DEFAULT_HOST,
  )
  .showHelpAfterError("(see --help)");
addClusterCommands(program);
addSwarmUpdate(program);
addAutolockCommands(program);
addNodeCommands(program);
addServiceCommands(program);
addNetworkCommands(program);
addRunCommands(program);
addImageCommands(program);
addWhyCommand(program);
addJournalCommands(program);
addPlaygroundCommands(program);

// `swarm service ls | head`: a closed pipe is the reader's way to say "enough".
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

program.parseAsync().catch((error: unknown) => {
  printError(error instanceof Error ? error.message : String(error));
  if (
    error instanceof ClientError &&
    error.status === 503 &&
    /not a swarm manager/i.test(error.message)
  ) {
    printError("run this on a manager, or name one's socket: --host unix://PATH");
  }
  process.exitCode = error instanceof ExitError ? error.exitCode : 1;
});
