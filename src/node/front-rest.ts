/** The front while this node is no manager (or its manager does not run): REST alone. */
import { ChildChannel } from "../api/index.js";
import { createLogger, keepHeapSmall } from "../base/index.js";
import { runFront } from "./front-program.js";

const { channel, start } = await ChildChannel.connect();
const { config } = start;
const logger = createLogger(config.logLevel, { program: "rest", node: config.hostname });

await runFront(channel, start, logger, {
  cluster: undefined,
  onIdentity: () => undefined, // what REST shows of it is in the local state
  close: () => Promise.resolve(),
});
channel.send({ kind: "ready" });
keepHeapSmall();
