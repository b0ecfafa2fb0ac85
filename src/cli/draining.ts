/** When a wait for a drain is over, and how it ended. Pure: it is told what is seen and when. */
import type { ApiNode, ApiService, ApiTask } from "./api-types.js";
import { EXIT } from "./exit-codes.js";
import { table } from "./output.js";
import { failed, UNREACHABLE_MS, UNSCHEDULABLE_MS, type WaitEnd } from "./waiting.js";

export type DrainSnapshot = {
  readonly node: ApiNode;
  readonly services: readonly ApiService[];
  /** All tasks of the services that have had one on the node. */
  readonly tasks: readonly ApiTask[];
};

/** One service of the node. `total` = `left` + `moved` + `waiting` + those that are wanted no more. */
export type DrainRow = {
  readonly service: string;
  readonly total: number;
  /** Still on the node. */
  readonly left: number;
  /** Left it, and run elsewhere or need not. */
  readonly moved: number;
  /** Stopped, and do not run elsewhere yet. */
  readonly waiting: number;
  readonly note: string;
};

export type DrainSeen = { readonly rows: readonly DrainRow[]; readonly end: WaitEnd | undefined };

const ON_NODE = new Set(["assigned", "accepted", "preparing", "ready", "starting", "running"]);
const WANTED = new Set(["new", "ready", "running", "complete"]);
const ARRIVED = new Set(["running", "complete"]);

export class Draining {
  readonly #timeoutMs: number | undefined;
  readonly #fromMs: number;
  /** Slots (or tasks, where a node is the slot) that were seen on the node, by service. */
  readonly #seen = new Map<string, Set<string>>();
  readonly #services = new Map<string, ApiService>();
  /** Slots that were stopped at the deadline, as none ran elsewhere. */
  readonly #cut = new Set<string>();
  #refused: { readonly text: string; readonly atMs: number } | undefined;
  #lostMs: number | undefined;
  #left = 0;

  constructor(timeoutMs: number | undefined, nowMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#fromMs = nowMs;
  }

  /** `wallMs` is held against the drain's deadline. */
  see(snapshot: DrainSnapshot, nowMs: number, wallMs: number): DrainSeen {
    this.#lostMs = undefined;
    for (const service of snapshot.services) this.#services.set(service.ID, service);
    this.#note(snapshot);
    const rows = [...this.#seen.keys()].map((id) => this.#row(snapshot, id, wallMs));
    this.#left = rows.reduce((sum, row) => sum + row.left + row.waiting, 0);
    return { rows, end: this.#end(snapshot, rows, nowMs) };
  }

  /** No manager answered. Undefined: one may yet. */
  lost(reason: string, nowMs: number): WaitEnd | undefined {
    this.#lostMs ??= nowMs;
    this.#refused = undefined;
    const late = this.#late("no manager answers", nowMs);
    if (late) return late;
    if (nowMs - this.#lostMs < UNREACHABLE_MS) return undefined;
    return failed(`no manager has answered for ${UNREACHABLE_MS / 1000} s: ${reason}`);
  }

  #note({ node, tasks }: DrainSnapshot): void {
    for (const task of tasks) {
      if (task.NodeID !== node.ID || !ON_NODE.has(task.Status.State)) continue;
      const keys = this.#seen.get(task.ServiceID) ?? new Set();
      this.#seen.set(task.ServiceID, keys.add(this.#keyOf(task)));
    }
  }

  #row(snapshot: DrainSnapshot, serviceId: string, wallMs: number): DrainRow {
    const { node } = snapshot;
    const counts = { left: 0, moved: 0, waiting: 0 };
    let note = "";
    const keys = this.#seen.get(serviceId) ?? new Set<string>();
    const ofService = snapshot.tasks.filter((task) => task.ServiceID === serviceId);
    for (const key of keys) {
      const tasks = ofService.filter((task) => this.#keyOf(task) === key);
      const here = tasks.filter(
        (task) => task.NodeID === node.ID && ON_NODE.has(task.Status.State),
      );
      const others = tasks.filter(
        (task) => task.NodeID !== node.ID && WANTED.has(task.DesiredState),
      );
      const hasArrived = others.some((task) => ARRIVED.has(task.Status.State));
      const isStopped = !here.some((task) => WANTED.has(task.DesiredState));
      if (isStopped && others.length > 0 && !hasArrived && isOver(node, wallMs))
        this.#cut.add(`${serviceId}/${key}`);
      if (here.length > 0) counts.left++;
      else if (hasArrived || others.length === 0) counts.moved++;
      else counts.waiting++;
      note ||= (!hasArrived && others.find((task) => task.Status.Err)?.Status.Err) || "";
    }
    const service = this.#nameOf(serviceId);
    return { service, total: keys.size, ...counts, note };
  }

  #end(snapshot: DrainSnapshot, rows: readonly DrainRow[], nowMs: number): WaitEnd | undefined {
    const { node } = snapshot;
    const name = nodeName(node);
    if (node.Spec.Availability !== "drain")
      return failed(`node ${name} is ${node.Spec.Availability} again: its drain was called off`);
    if (rows.every((row) => row.left + row.waiting === 0)) return this.#whole(name);
    return this.#refusedEnd(snapshot, nowMs) ?? this.#late(`node ${name}`, nowMs);
  }

  #whole(name: string): WaitEnd {
    if (this.#cut.size === 0)
      return {
        result: "converged",
        exitCode: EXIT.converged,
        message: `node ${name} is drained`,
      };
    return {
      result: "timed-out",
      exitCode: EXIT.timedOut,
      message: `node ${name} is drained, but ${this.#cut.size} tasks were stopped at the deadline before their replacements ran`,
    };
  }

  #refusedEnd({ node, tasks }: DrainSnapshot, nowMs: number): WaitEnd | undefined {
    const refused = tasks.find(
      (task) =>
        this.#seen.get(task.ServiceID)?.has(this.#keyOf(task)) &&
        task.NodeID !== node.ID &&
        task.Status.State === "pending" &&
        task.DesiredState === "running" &&
        (task.Status.Err ?? "") !== "",
    );
    if (!refused) {
      this.#refused = undefined;
      return undefined;
    }
    const service = this.#nameOf(refused.ServiceID);
    const text = `service ${service} cannot be placed: ${refused.Status.Err}`;
    if (this.#refused?.text !== text) this.#refused = { text, atMs: nowMs };
    if (nowMs - this.#refused.atMs <= UNSCHEDULABLE_MS) return undefined;
    const until = node.DrainStatus ? ` until ${node.DrainStatus.Deadline}` : "";
    return {
      result: "unschedulable",
      exitCode: EXIT.unschedulable,
      message: `${text}\nwhat runs on node ${nodeName(node)} goes on${until}, then it is stopped; see: swarm why ${service}`,
    };
  }

  /** Where a node is the slot, a task moves nowhere: it is only to be gone. */
  #keyOf({ ID, ServiceID, Slot, JobIteration }: ApiTask): string {
    const mode = this.#services.get(ServiceID)?.Spec.Mode;
    if (!mode || mode.Global || mode.GlobalJob) return ID;
    return `${JobIteration?.Index ?? 0}/${Slot ?? 0}`;
  }

  #nameOf(serviceId: string): string {
    return this.#services.get(serviceId)?.Spec.Name ?? serviceId;
  }

  #late(what: string, nowMs: number): WaitEnd | undefined {
    const tookMs = nowMs - this.#fromMs;
    if (tookMs <= (this.#timeoutMs ?? Number.POSITIVE_INFINITY)) return undefined;
    return {
      result: "timed-out",
      exitCode: EXIT.timedOut,
      message: `${what}: ${this.#left} tasks have not moved after ${Math.round(tookMs / 1000)} s\nthe drain goes on in the background; see: swarm node ps`,
    };
  }
}

/** A table for people at a terminal. */
export function drainTable(rows: readonly DrainRow[]): readonly string[] {
  const cells = rows.map(({ service, total, left, moved, waiting, note }) => [
    service,
    `${moved}/${total}`,
    `${left}`,
    `${waiting}`,
    note.slice(0, 75),
  ]);
  return table([["SERVICE", "MOVED", "ON NODE", "WAITING", "NOTE"], ...cells]);
}

export function drainLine({ service, total, left, moved, waiting, note }: DrainRow): string {
  const counts = `${moved} of ${total} tasks moved, ${left} on the node, ${waiting} waiting`;
  return `${service}: ${counts}${note === "" ? "" : ` (${note})`}`;
}

/** A deadline of 0 was asked for: nothing is late. */
function isOver({ Spec, DrainStatus }: ApiNode, wallMs: number): boolean {
  if (!DrainStatus || Spec.Drain?.Deadline === 0) return false;
  return wallMs >= Date.parse(DrainStatus.Deadline);
}

function nodeName({ ID, Spec, Description }: ApiNode): string {
  return Spec.Name || Description?.Hostname || ID;
}
