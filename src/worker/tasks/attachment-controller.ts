/** The work behind the steps of an attachment: the container of another task of this node is put on a network (docs/adr/0018). */
import { NETWORK_PHASE, TASK_STATE } from "../../api/index.js";
import type { Outcome } from "../core/task/outcome.js";
import { isTerminal } from "../core/task/types.js";
import type { ControllerDeps } from "./container-controller.js";
import { containerIdOf } from "./container-id.js";
import { drainFlows } from "./flow-drain.js";
import { dnsChoice, rewriteResolvConf } from "./network-files.js";
import { raceAbort } from "./race-abort.js";
import type { TaskRecord } from "./record-store.js";
import type { RecordOwner, TaskController } from "./task-controller.js";

/** The task whose container it is for. */
export type AttachedContainer = {
  readonly record: TaskRecord;
  /** Resolves when it has ended or is forgotten. */
  whenEnded(): Promise<void>;
};

export type AttachmentDeps = Pick<ControllerDeps, "net" | "store" | "clock"> & {
  readonly taskOf: (taskId: string) => AttachedContainer | undefined;
};

export class AttachmentController implements TaskController {
  readonly health = undefined;
  readonly #deps: AttachmentDeps;
  readonly #owner: RecordOwner;
  #drainSinceMs: number | undefined;
  #mayDrain = true;

  constructor(deps: AttachmentDeps, owner: RecordOwner) {
    this.#deps = deps;
    this.#owner = owner;
  }

  end(): void {}

  hurry(): void {
    this.#mayDrain = false;
  }

  async prepare(signal: AbortSignal): Promise<Outcome> {
    const { net, store } = this.#deps;
    const container = this.#running();
    const [network] = this.#owner.read().assignment.networks;
    if (network === undefined) throw new Error("the attachment has no address");
    // From here on a crash leaves a link behind: the record must be there first.
    this.#owner.update({ hasNetwork: true });
    await store.flush(this.#taskId);
    const { spec, networks } = container.assignment;
    const reply = await net.connect(
      {
        containerId: this.#containerTaskId,
        taskId: this.#taskId,
        networkId: network.networkId,
        dns: dnsChoice(spec.ContainerSpec.DNSConfig),
      },
      signal,
    );
    // One on networks from its start asks the node's resolver already.
    if (networks.length === 0)
      await rewriteResolvConf(store.paths(this.#containerTaskId).filesDir, reply);
    const { status } = this.#owner.read();
    this.#owner.update({
      connected: reply.network,
      status: { ...status, containerId: containerIdOf(this.#containerTaskId) },
    });
    return { state: TASK_STATE.ready, message: "prepared", err: "", exitCode: 0 };
  }

  /** The other nodes know of it by now. */
  async start(): Promise<Outcome> {
    this.#running();
    return { state: TASK_STATE.running, message: "connected", err: "", exitCode: 0 };
  }

  async watch(signal: AbortSignal): Promise<Outcome> {
    const container = this.#deps.taskOf(this.#containerTaskId);
    if (container !== undefined) await raceAbort(signal, [container.whenEnded()]);
    return { state: TASK_STATE.complete, message: "its container has ended", err: "", exitCode: 0 };
  }

  async stop(signal: AbortSignal): Promise<Outcome> {
    await this.#drain(signal);
    await this.release(signal);
    return { state: TASK_STATE.shutdown, message: "disconnected", err: "", exitCode: 0 };
  }

  async release(signal: AbortSignal): Promise<void> {
    if (!this.#owner.read().hasNetwork) return;
    await this.#deps.net.disconnect(this.#containerTaskId, this.#taskId, signal);
    this.#owner.update({ hasNetwork: false, connected: undefined });
  }

  /** Nothing is ever left of one. */
  async discard(): Promise<void> {
    this.#owner.update({ hasRemains: false });
  }

  async #drain(signal: AbortSignal): Promise<void> {
    const { assignment, status } = this.#owner.read();
    const isWithdrawn = assignment.networkPhase === NETWORK_PHASE.withdrawn;
    if (!this.#mayDrain || !isWithdrawn || status.state !== TASK_STATE.running) return;
    const { net, clock } = this.#deps;
    this.#drainSinceMs ??= clock.nowMs();
    const sinceMs = this.#drainSinceMs;
    const [containerId, taskId] = [this.#containerTaskId, this.#taskId];
    await drainFlows({ net, clock, containerId, taskId, sinceMs }, signal);
  }

  get #taskId(): string {
    return this.#owner.read().assignment.taskId;
  }

  get #containerTaskId(): string {
    return this.#owner.read().assignment.spec.NetworkAttachmentSpec?.TaskID ?? "";
  }

  #running(): TaskRecord {
    const record = this.#deps.taskOf(this.#containerTaskId)?.record;
    const hasContainer = record !== undefined && record.startedAtMs > 0;
    if (!hasContainer || isTerminal(record.status.state))
      throw new Error("the container does not run on this node");
    return record;
  }
}
