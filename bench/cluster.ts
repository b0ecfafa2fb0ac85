/** What the measures need of a cluster, ours or the peer's. */
export type BenchNode = {
  readonly name: string;
  readonly role: "manager" | "worker";
  readonly socket: string;
  readonly nodeId: string;
  /** The process that is frozen or killed to lose the node's manager. */
  readonly managerPid: number;
  /** All processes of the node that are not containers. */
  readonly pids: readonly number[];
};

export interface BenchCluster extends AsyncDisposable {
  readonly name: string;
  readonly image: string;
  nodes(): Promise<readonly BenchNode[]>;
  /** Starts what a kill ended and waits until every node is ready. */
  heal(): Promise<void>;
}
