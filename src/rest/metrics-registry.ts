/** What `GET /metrics` tells: of the process, its connections, and what this node's store holds. */
import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { JournalLag } from "../journal/index.js";
import type { ClusterJournal } from "../manager/index.js";
import type { RestContext } from "./context.js";
import { taskStateName } from "./present/task.js";

/** Seconds. Finest around the 50 ms that a busy manager may be late; an election needs 600 ms of silence. */
const LATENESS_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.4, 0.6, 1,
];

/** With a cluster before `app` is ready: it ends with it. */
export function metricsRegistry(
  app: FastifyInstance,
  context: RestContext,
  connectionCount: () => number,
): Registry {
  const { cluster } = context.deps;
  const register = new Registry();
  // Looks at the event loop 50 times a second: late heartbeats are what the figure is for.
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: 20 });
  gauge(register, "swarm_rest_connections", "Open connections of the REST door", (metric) => {
    metric.set(connectionCount());
  });
  if (cluster !== undefined) {
    const { store } = cluster;
    gauge(register, "swarm_store_index", "Log index of the last applied entry", (metric) => {
      metric.set(store.index);
    });
    gauge(register, "swarm_manager_leader", "1 where this manager leads", (metric) => {
      metric.set(cluster.leader()?.nodeId === cluster.nodeId ? 1 : 0);
    });
    gauge(register, "swarm_raft_term", "Raft's current term on this manager", (metric) => {
      metric.set(cluster.raftTerm);
    });
    const late: Counter = new Counter({
      name: "swarm_network_late_nodes_total",
      help: "How often a node did not confirm a change of its networks within 2 s while this manager led",
      registers: [register],
      collect: () => {
        late.reset();
        late.inc(cluster.lateNodeCount);
      },
    });
    const lateness = new Histogram({
      name: "swarm_raft_tick_lateness_seconds",
      help: "How late Raft's ticks come, and with them the heartbeats that a leader sends",
      buckets: LATENESS_BUCKETS,
      registers: [register],
    });
    const unsubscribe = cluster.subscribeTicks((latenessMs) => {
      lateness.observe(latenessMs / 1000);
    });
    app.addHook("onClose", (_app, done) => {
      unsubscribe();
      done();
    });
    journalMetrics(register, cluster.journal);
    gauge(register, "swarm_services", "Services in the cluster", (metric) => {
      metric.set(store.services().length);
    });
    counted(register, "swarm_nodes", "Nodes by state", () => store.nodes().map((n) => n.state));
    counted(register, "swarm_tasks", "Tasks by observed state", () =>
      store.tasks().map((task) => taskStateName(task.state)),
    );
  }
  return register;
}

/** Redis' values are there on the leader alone, while one is set. */
function journalMetrics(register: Registry, journal: ClusterJournal): void {
  const lags = (): readonly (readonly [where: string, lag: JournalLag])[] => {
    const redis = journal.redisLag();
    return [["files", journal.lag()], ...(redis ? [["redis", redis] as const] : [])];
  };
  const values = {
    swarm_journal_waiting: ["Journal entries not stored yet (Redis: log indexes)", waiting],
    swarm_journal_dropped: ["Journal entries given up since the start", dropped],
    swarm_journal_failing: ["1 while entries cannot be stored there", failing],
  } as const;
  for (const [name, [help, valueOf]] of Object.entries(values)) {
    const metric: Gauge<"where"> = new Gauge({
      name,
      help,
      labelNames: ["where"],
      registers: [register],
      collect: () => {
        metric.reset();
        for (const [where, lag] of lags()) metric.set({ where }, valueOf(lag));
      },
    });
  }
}

const waiting = (lag: JournalLag): number => lag.waitingCount;
const dropped = (lag: JournalLag): number => lag.droppedCount;
const failing = (lag: JournalLag): number => (lag.state === "failing" ? 1 : 0);

function gauge(
  register: Registry,
  name: string,
  help: string,
  collect: (metric: Gauge) => void,
): void {
  const metric: Gauge = new Gauge({
    name,
    help,
    registers: [register],
    collect: () => {
      collect(metric);
    },
  });
}

/** One value for each label `state`, counted at the scrape. */
function counted(
  register: Registry,
  name: string,
  help: string,
  states: () => readonly string[],
): void {
  const metric: Gauge<"state"> = new Gauge({
    name,
    help,
    labelNames: ["state"],
    registers: [register],
    collect: () => {
      const counts = new Map<string, number>();
      for (const state of states()) counts.set(state, (counts.get(state) ?? 0) + 1);
      metric.reset();
      for (const [state, count] of counts) metric.set({ state }, count);
    },
  });
}
