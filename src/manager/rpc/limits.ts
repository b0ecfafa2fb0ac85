/** Limits of the port 2377, both ends. */

/** What this manager sends: a node's complete assignments with their specs travel in one message. */
export const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;
/** What it accepts: Raft frames and status batches are far below it. */
export const RECEIVED_BYTES_MAX = 16 * 1024 * 1024;
/** Streams per connection: one session, one Raft stream, calls and tunnels. */
export const STREAMS_PER_CONNECTION_MAX = 4096;
/** Back-off of a channel whose peer does not answer. */
export const RECONNECT_INITIAL_MS = 50;
export const RECONNECT_MAX_MS = 2000;
/** A manager that is silent on the wire this long is probed, then given up. */
export const KEEPALIVE_TIME_MS = 5000;
export const KEEPALIVE_TIMEOUT_MS = 3000;
/** The same for whoever is connected here: agents send heartbeats anyway, so this only cleans up dead connections. */
export const SERVER_KEEPALIVE_MS = 10_000;
/** Open channels; the least recently used one is closed beyond it. A cluster has at most 7 managers or so. */
export const CHANNELS_MAX = 64;
