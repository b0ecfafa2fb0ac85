/** The work behind a task's steps: image, network, files, container. Each method may run again after a crash or an outage. */
import {
  type ContainerSpec,
  NETWORK_PHASE,
  type PortStatus,
  TASK_STATE,
  type TaskSpec,
} from "../../api/index.js";
import type { Clock, Logger } from "../../base/index.js";
import { planHealth } from "../core/health/health.js";
import { type Outcome, outcomeOfExit } from "../core/task/outcome.js";
import { taskName } from "../core/task/types.js";
import { type ContainerState, type Engine, EngineError, type ExitStatus } from "../engine/port.js";
import { signalNumber } from "../engine/signals.js";
import type { Limiter } from "../limiter.js";
import type { LogService } from "../logs/index.js";
import type { Attachment, NetPort } from "../net/index.js";
import type { LocalVolumes, VolumeUse } from "../volumes/index.js";
import type { ContainerEvents } from "./container-events.js";
import { containerIdOf } from "./container-id.js";
import { ContainerLife, LOST_TEXT } from "./container-life.js";
import {
  checkSupported,
  containerLabels,
  expandedSpec,
  hostnameOf,
  type NodeFacts,
  networkModeOf,
} from "./container-request.js";
import { drainFlows } from "./flow-drain.js";
import { HealthMonitor } from "./health-monitor.js";
import type { ImageSource } from "./image-source.js";
import { dnsChoice, writeNetworkFiles } from "./network-files.js";
import { raceAbort } from "./race-abort.js";
import type { RecordStore } from "./record-store.js";
import type { RecordOwner, TaskController } from "./task-controller.js";

/** What tells of a container's life. */
export type EventSink = Pick<ContainerEvents, "changed" | "ended" | "note">;

export type ControllerDeps = {
  readonly engine: Engine;
  readonly net: NetPort;
  readonly images: ImageSource;
  readonly volumes: LocalVolumes;
  readonly logs: LogService;
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Creating and starting containers, all tasks together. */
  readonly workLimiter: Limiter;
  readonly probeLimiter: Limiter;
  readonly node: () => NodeFacts;
  readonly cgroupParent: string;
};

const DEFAULT_GRACE_MS = 10_000;
const NS_PER_MS = 1e6;
/** What the engine would say of a container that was just made. */
const JUST_MADE: Pick<ContainerState, "state" | "pid" | "createdAtMs"> = {
  state: "created",
  pid: 0,
  createdAtMs: 0,
};

export type ContainerDeps = ControllerDeps & {
  readonly events: EventSink;
  /** Resolves when the networks that the container was connected to are out of the way of its stop, after a while in any case. */
  readonly attachmentsEnded: (taskId: string, signal: AbortSignal) => Promise<void>;
};

export class ContainerController implements TaskController {
  readonly #deps: ContainerDeps;
  readonly #owner: RecordOwner;
  #life: ContainerLife | undefined;
  /** The container was made by this process and not started yet. */
  #isFresh = false;
  #drainSinceMs: number | undefined;
  #mayDrain = true;

  constructor(deps: ContainerDeps, owner: RecordOwner) {
    this.#deps = deps;
    this.#owner = owner;
  }

  get health(): HealthMonitor | undefined {
    return this.#life?.health;
  }

  get #taskId(): string {
    return this.#owner.read().assignment.taskId;
  }

  /** Stops watching; the container is left as it is. */
  end(): void {
    this.#life?.end();
    this.#life = undefined;
  }

  async prepare(signal: AbortSignal): Promise<Outcome> {
    const { assignment } = this.#owner.read();
    const { spec } = assignment;
    checkSupported(spec);
    const mode = networkModeOf(spec.Networks, assignment.networks);
    const node = this.#deps.node();
    const expanded = expandedSpec(assignment, node);
    const image = await this.#deps.images.get(expanded.Image, assignment.registryAuth, signal);
    this.#owner.update({ hasRemains: true, image: { id: image.id, config: image.config } });
    const paths = this.#deps.store.paths(this.#taskId);
    const log = await this.#openLog(spec);
    const mounts = await this.#deps.volumes.plan(
      expanded,
      Object.keys(image.config.Volumes ?? {}),
      this.#knownAnonymous(),
    );
    const hostname = hostnameOf(this.#taskId, expanded.Hostname, mode, node);
    this.#owner.update({
      hasNetwork: true,
      hostname,
      volumes: mounts.volumes,
      anonymousVolumes: mounts.anonymousNames,
    });
    // From here on a crash leaves things behind: the record must be there first.
    await this.#deps.store.flush(this.#taskId);
    await this.#deps.workLimiter.run(signal, async () => {
      const attachment = await this.#attach(mode, expanded.DNSConfig, signal);
      const files = await writeNetworkFiles(paths.filesDir, {
        spec: expanded,
        hostname,
        attachment,
        networks: assignment.networks,
      });
      await this.#deps.engine.create(
        {
          id: this.#taskId,
          name: taskName(assignment, node.nodeId),
          image: expanded.Image,
          spec: mounts.spec,
          resources: spec.Resources ?? {},
          labels: containerLabels(assignment, node),
          hostname,
          netnsPath: attachment.netnsPath,
          isHostNetwork: mode === "host",
          ...files,
          extraMounts: mounts.extraMounts,
          stdoutPath: log.spoolPath("stdout"),
          stderrPath: log.spoolPath("stderr"),
          cgroupParent: this.#deps.cgroupParent,
        },
        signal,
      );
    });
    const { status } = this.#owner.read();
    this.#owner.update({
      createdAtMs: this.#deps.clock.wallMs(),
      status: { ...status, containerId: containerIdOf(this.#taskId) },
    });
    this.#isFresh = true;
    return { state: TASK_STATE.ready, message: "prepared", err: "", exitCode: 0 };
  }

  async start(signal: AbortSignal): Promise<Outcome> {
    await this.#openLog(this.#owner.read().assignment.spec);
    const hadStarted = this.#owner.read().startedAtMs > 0;
    // Just made by this process, so there is nothing to find out; after a restart of ours there is.
    const state =
      this.#isFresh && !hadStarted ? JUST_MADE : await this.#deps.engine.inspect(this.#taskId);
    this.#isFresh = false;
    if (state === undefined || (hadStarted && state.state === "created")) {
      throw new EngineError("NOT_FOUND", LOST_TEXT);
    }
    if (state.state === "created") {
      const { pid } = await this.#deps.workLimiter.run(signal, async () => {
        const started = await this.#deps.engine.start(this.#taskId, signal);
        // Noted at once: an agent that dies now must not take a vanished container for one never started.
        this.#owner.update({ startedAtMs: this.#deps.clock.wallMs() });
        return started;
      });
      this.#setPid(pid);
    } else {
      if (!hadStarted) this.#owner.update({ startedAtMs: state.createdAtMs });
      this.#setPid(state.pid);
    }
    const life = this.#watchLife(false);
    const ended = life.exit.then((exit) => this.#ended(exit, ""));
    ended.catch(() => undefined); // of interest only below
    if (life.health !== undefined) {
      const verdict = await raceAbort<Outcome | "health">(signal, [
        life.health.until("healthy", "unhealthy").then(() => "health" as const),
        ended,
      ]);
      if (verdict !== "health") return verdict;
      if (life.health.state.status === "unhealthy") return this.#stopUnhealthy(signal);
    }
    return { state: TASK_STATE.running, message: "started", err: "", exitCode: 0 };
  }

  async watch(signal: AbortSignal): Promise<Outcome> {
    await this.#openLog(this.#owner.read().assignment.spec);
    if (this.#life === undefined) {
      const state = await this.#deps.engine.inspect(this.#taskId);
      if (state === undefined || state.state === "created") {
        throw new EngineError("NOT_FOUND", LOST_TEXT);
      }
      if (state.state === "running") this.#setPid(state.pid);
    }
    const life = this.#watchLife(true);
    const unhealthy = life.health?.until("unhealthy").then(() => "unhealthy" as const);
    const verdict = await raceAbort<Outcome | "unhealthy">(signal, [
      life.exit.then((exit) => this.#ended(exit, "")),
      ...(unhealthy === undefined ? [] : [unhealthy]),
    ]);
    return verdict === "unhealthy" ? this.#stopUnhealthy(signal) : verdict;
  }

  hurry(): void {
    this.#mayDrain = false;
  }

  async stop(signal: AbortSignal): Promise<Outcome> {
    await this.#deps.attachmentsEnded(this.#taskId, signal);
    await this.#drain(signal);
    const state = await this.#deps.engine.inspect(this.#taskId);
    let exitCode = 0;
    if (state?.state === "running" || state?.state === "paused") {
      const exit = await this.#stopContainer(signal);
      exitCode = exit.exitCode;
    } else if (state?.exit !== undefined) {
      this.#noteExit(state.exit);
      exitCode = state.exit.exitCode;
    }
    return { state: TASK_STATE.shutdown, message: "shutdown", err: "", exitCode };
  }

  /** Only what runs and was taken out of the balancers for this stop has connections that end by themselves. */
  async #drain(signal: AbortSignal): Promise<void> {
    const { assignment, status } = this.#owner.read();
    const isWithdrawn = assignment.networkPhase === NETWORK_PHASE.withdrawn;
    if (!this.#mayDrain || !isWithdrawn || status.state !== TASK_STATE.running) return;
    const { net, clock } = this.#deps;
    this.#drainSinceMs ??= clock.nowMs();
    const sinceMs = this.#drainSinceMs;
    await drainFlows({ net, clock, containerId: this.#taskId, sinceMs }, signal);
  }

  /** Network and host ports; the container has ended. */
  async release(signal: AbortSignal): Promise<void> {
    await this.#deps.net.release(this.#taskId, signal);
    const { status } = this.#owner.read();
    this.#owner.update({
      hasNetwork: false,
      attachment: undefined,
      status: { ...status, portStatus: [] },
    });
  }

  async discard(): Promise<void> {
    await this.#deps.engine.remove(this.#taskId);
    await this.#deps.logs.close(this.#taskId);
    for (const name of this.#owner.read().anonymousVolumes) await this.#deps.volumes.remove(name);
    await this.#deps.store.removeFiles(this.#taskId);
    this.#owner.update({ hasRemains: false, anonymousVolumes: [], volumes: [] });
  }

  /** Anonymous volumes that an earlier attempt made. */
  #knownAnonymous(): readonly VolumeUse[] {
    const { volumes, anonymousVolumes } = this.#owner.read();
    const targets = new Map(volumes.map(({ name, target }) => [name, target]));
    return anonymousVolumes.map((name) => ({ name, target: targets.get(name) ?? "" }));
  }

  async #attach(
    mode: Attachment["mode"],
    dns: ContainerSpec["DNSConfig"],
    signal: AbortSignal,
  ): Promise<Attachment> {
    const { assignment } = this.#owner.read();
    const wanted = assignment.hostPorts.map((port) => ({
      protocol: port.Protocol,
      targetPort: port.TargetPort,
      publishedPort: port.PublishedPort ?? 0,
    }));
    const overlay = {
      taskId: this.#taskId,
      networkIds: assignment.networks.map(({ networkId }) => networkId),
      dns: dnsChoice(dns),
    };
    const attachment = await this.#deps.net.attach(
      {
        containerId: this.#taskId,
        mode,
        hostPorts: wanted,
        ...(overlay.networkIds.length > 0 && { overlay }),
      },
      signal,
    );
    const portStatus = attachment.hostPorts.map(
      ({ protocol, targetPort, publishedPort }): PortStatus => ({
        protocol: protocol === "udp" || protocol === "sctp" ? protocol : "tcp",
        targetPort,
        publishedPort,
      }),
    );
    const { status } = this.#owner.read();
    this.#owner.update({ attachment, status: { ...status, portStatus } });
    return attachment;
  }

  #openLog(spec: TaskSpec): ReturnType<LogService["open"]> {
    const { spoolDir, logDir } = this.#deps.store.paths(this.#taskId);
    return this.#deps.logs.open(this.#taskId, { spoolDir, logDir }, spec.LogDriver ?? {});
  }

  #setPid(pid: number): void {
    const { status } = this.#owner.read();
    this.#owner.update({ status: { ...status, pid } });
  }

  #watchLife(isKnownHealthy: boolean): ContainerLife {
    if (this.#life !== undefined) return this.#life;
    const { assignment, image, startedAtMs } = this.#owner.read();
    const plan = planHealth(assignment.spec.ContainerSpec.Healthcheck, image?.config.Healthcheck);
    const { engine, clock, probeLimiter } = this.#deps;
    const id = this.#taskId;
    this.#deps.logs.follow(id, this.#deps.store.paths(id).spoolDir);
    const health =
      plan === undefined
        ? undefined
        : new HealthMonitor({
            plan,
            engine,
            clock,
            limiter: probeLimiter,
            containerId: id,
            startedAtMs,
            isKnownHealthy,
            onStatus: (status) =>
              this.#deps.events.note(this.#owner.read(), `health_status: ${status}`),
          });
    this.#life = new ContainerLife({ id, engine, clock, health });
    return this.#life;
  }

  #ended(exit: ExitStatus, cause: "" | "unhealthy container"): Outcome {
    this.#noteExit(exit);
    return outcomeOfExit(exit, cause);
  }

  #noteExit(exit: ExitStatus): void {
    const record = this.#owner.read();
    this.#owner.update({ finishedAtMs: exit.finishedAtMs, isOomKilled: exit.isOomKilled });
    if (record.finishedAtMs === 0) this.#deps.events.ended(record, exit);
    this.#deps.logs.finish(this.#taskId);
  }

  async #stopUnhealthy(signal: AbortSignal): Promise<Outcome> {
    return outcomeOfExit(await this.#stopContainer(signal), "unhealthy container");
  }

  async #stopContainer(signal: AbortSignal): Promise<ExitStatus> {
    const { assignment, image } = this.#owner.read();
    const spec = assignment.spec.ContainerSpec;
    const graceMs =
      spec.StopGracePeriod === undefined ? DEFAULT_GRACE_MS : spec.StopGracePeriod / NS_PER_MS;
    const signalName = spec.StopSignal || image?.config.StopSignal || "SIGTERM";
    const { events, engine } = this.#deps;
    events.note(this.#owner.read(), "kill", { signal: String(signalNumber(signalName)) });
    const exit = await engine.stop(this.#taskId, { signalName, graceMs }, signal);
    this.#noteExit(exit);
    events.note(this.#owner.read(), "stop");
    return exit;
  }
}
