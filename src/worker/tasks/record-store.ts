/** Tasks on disk: one directory each, `task.json` replaced as a whole. Survives restarts of the agent. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { NETWORK_PHASE } from "../../api/index.js";
import type { Logger } from "../../base/index.js";
import type { Assignment, TaskStatus } from "../core/task/types.js";
import type { ImageConfig } from "../engine/port.js";
import type { Attachment, ConnectedNetwork } from "../net/index.js";

/** Everything the agent knows of a task. */
export type TaskRecord = {
  readonly format: 1;
  readonly assignment: Assignment;
  readonly status: TaskStatus;
  readonly isWithdrawn: boolean;
  /** Set before the net process is asked, so that a crash in between leaks nothing. */
  readonly hasNetwork: boolean;
  /** Set before the first container, volume or file is made. */
  readonly hasRemains: boolean;
  readonly attachment: Attachment | undefined;
  /** Of an attachment: what the container got. */
  readonly connected?: ConnectedNetwork | undefined;
  readonly image: { readonly id: string; readonly config: ImageConfig } | undefined;
  readonly hostname: string;
  readonly volumes: readonly { readonly name: string; readonly target: string }[];
  readonly anonymousVolumes: readonly string[];
  /** Unix ms; 0 = not yet. */
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly isOomKilled: boolean;
};

export type TaskPaths = {
  readonly dir: string;
  readonly spoolDir: string;
  readonly logDir: string;
  readonly filesDir: string;
};

/**
 * A change is on disk after this long, unless somebody asks for it earlier: what a crash loses of it the engine still shows, and
 * managers ignore older states. A start changes the record ten times; written each time, that was a tenth of the worker's work.
 */
const WRITE_PAUSE_MS = 1_000;

export class RecordStore {
  readonly #root: string;
  readonly #logger: Logger;
  /** The newest version not yet written, and the write under way. */
  readonly #waiting = new Map<string, TaskRecord>();
  readonly #writing = new Map<string, Promise<void>>();
  /** Ends the pause before a task's next write. */
  readonly #hurry = new Map<string, () => void>();
  /** Tasks that somebody waits for. */
  readonly #urgent = new Set<string>();
  /** Tasks whose directory is there. */
  readonly #made = new Set<string>();

  constructor(root: string, logger: Logger) {
    this.#root = root;
    this.#logger = logger;
  }

  paths(taskId: string): TaskPaths {
    const dir = `${this.#root}/${taskId}`;
    return { dir, spoolDir: `${dir}/spool`, logDir: `${dir}/log`, filesDir: `${dir}/files` };
  }

  async load(): Promise<readonly TaskRecord[]> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    const records: TaskRecord[] = [];
    for (const id of (await readdir(this.#root)).sort()) {
      try {
        const raw = JSON.parse(
          await readFile(`${this.#root}/${id}/task.json`, "utf8"),
        ) as TaskRecord;
        if (raw.format !== 1 || raw.assignment.taskId !== id) throw new Error("not a task record");
        // Records of older versions have none of these.
        const older = { genericResources: [], networks: [], networkPhase: NETWORK_PHASE.none };
        records.push({ ...raw, assignment: { ...older, ...raw.assignment } });
      } catch (error) {
        // Its container, if any, is an orphan: kept until the managers send the complete set.
        this.#logger.warn({ error, taskId: id }, "unreadable task record ignored");
      }
    }
    return records;
  }

  /** Written within a second; several versions in a row become one write. */
  save(record: TaskRecord): void {
    const id = record.assignment.taskId;
    this.#waiting.set(id, record);
    if (this.#writing.has(id)) return;
    const done = this.#writeAll(id)
      .catch((error: unknown) => {
        // The newest state is written again with the next change; a restart reports an older one, which managers drop.
        this.#logger.error({ error, taskId: id }, "cannot write task record");
      })
      .finally(() => this.#writing.delete(id));
    this.#writing.set(id, done);
  }

  /** Resolves when what was saved of the task so far is on its way to disk. */
  async flush(taskId: string): Promise<void> {
    if (!this.#writing.has(taskId)) return;
    this.#urgent.add(taskId);
    this.#hurry.get(taskId)?.();
    await this.#writing.get(taskId);
    this.#urgent.delete(taskId);
  }

  async flushAll(): Promise<void> {
    await Promise.all([...this.#writing.keys()].map((id) => this.flush(id)));
  }

  /** Record, files and logs. */
  async remove(taskId: string): Promise<void> {
    this.#waiting.delete(taskId);
    await this.flush(taskId);
    this.#made.delete(taskId);
    await rm(`${this.#root}/${taskId}`, { recursive: true, force: true });
  }

  /** Everything but the record. */
  async removeFiles(taskId: string): Promise<void> {
    const { spoolDir, logDir, filesDir } = this.paths(taskId);
    for (const dir of [spoolDir, logDir, filesDir]) await rm(dir, { recursive: true, force: true });
  }

  /** Directories of tasks that nobody knows any more. */
  async removeOthers(known: ReadonlySet<string>): Promise<void> {
    for (const id of await readdir(this.#root)) if (!known.has(id)) await this.remove(id);
  }

  async #writeAll(id: string): Promise<void> {
    for (;;) {
      if (this.#waiting.has(id) && !this.#urgent.has(id)) await this.#pause(id);
      const record = this.#waiting.get(id);
      if (record === undefined) return;
      this.#waiting.delete(id);
      const dir = `${this.#root}/${id}`;
      if (!this.#made.has(id)) await mkdir(dir, { recursive: true, mode: 0o700 });
      this.#made.add(id);
      await writeFile(`${dir}/task.json.new`, JSON.stringify(record), { mode: 0o600 });
      await rename(`${dir}/task.json.new`, `${dir}/task.json`);
    }
  }

  #pause(id: string): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#hurry.delete(id);
        resolve();
      };
      const timer = setTimeout(finish, WRITE_PAUSE_MS);
      this.#hurry.set(id, finish);
    });
  }
}
