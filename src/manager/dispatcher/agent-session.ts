import type { ServerDuplexStream } from "@grpc/grpc-js";
import type { ManagerAddr, Node, swarm } from "../../api/index.js";
import type { NetworkDelta, NetworkState } from "../../overlay-net/core/index.js";
import type { StoreView } from "../../store/index.js";
import { AssignmentTracker } from "./core/assignments.js";
import { assignmentsMessage, networksMessage, nodeUpdateMessage } from "./messages.js";

type Out = swarm.dispatcher.IDispatcherMessage;
export type SessionCall = ServerDuplexStream<swarm.dispatcher.AgentMessage, Out>;

/** What messages are made of. */
export type SessionSource = {
  readonly view: StoreView;
  readonly managers: () => readonly ManagerAddr[];
  readonly networksOf: (nodeId: string) => NetworkState;
};

/** One agent's stream: what it was told, and what waits to be told until the stream takes more. */
export class AgentSession {
  readonly nodeId: string;
  readonly sessionId: string;
  readonly #call: SessionCall;
  readonly #tracker: AssignmentTracker;
  #changedTaskIds = new Set<string>();
  /** What its networks are to become; a second difference while the stream is full makes it the whole. */
  #networkNews: NetworkDelta | "complete" | undefined;
  /** Store index of the networks it was told. */
  #networkIndex = 0;
  #isNodeChanged = false;
  #sentNodeUpdate = "";
  #isWelcome = false;
  #isBlocked = false;
  #isEnded = false;
  #acks: Promise<void> = Promise.resolve();

  constructor(nodeId: string, sessionId: string, call: SessionCall) {
    this.nodeId = nodeId;
    this.sessionId = sessionId;
    this.#call = call;
    this.#tracker = new AssignmentTracker(nodeId);
  }

  /** From here on changes are sent: Welcome, the node, its networks and its complete set of tasks. */
  welcome(heartbeatPeriodMs: number, node: Node, source: SessionSource): void {
    this.#isWelcome = true;
    this.send({ welcome: { sessionId: this.sessionId, heartbeatPeriodMs } });
    this.#sendNode(node, source);
    this.#networkNews = "complete";
    this.#sendNetworks(source);
    this.sendComplete(source.view);
  }

  sendComplete(view: StoreView): void {
    this.#changedTaskIds.clear();
    const diff = this.#tracker.complete(view.tasksByNode(this.nodeId), view.index);
    this.send(assignmentsMessage(diff, view));
  }

  taskChanged(taskId: string): void {
    this.#changedTaskIds.add(taskId);
  }

  networksChanged(news: NetworkDelta | "complete"): void {
    this.#networkNews = this.#networkNews === undefined ? news : "complete";
  }

  nodeChanged(): void {
    this.#isNodeChanged = true;
  }

  /** Sends what has changed, unless the stream is full: then `onDrain` comes back here. */
  flush(source: SessionSource, onDrain: () => void): void {
    if (!this.#isWelcome || this.#isEnded) return;
    if (this.#isBlocked || this.#call.writableNeedDrain) {
      this.#waitForDrain(onDrain);
      return;
    }
    const { view } = source;
    if (this.#isNodeChanged) {
      this.#isNodeChanged = false;
      const node = view.node(this.nodeId);
      if (node !== undefined) this.#sendNode(node, source);
    }
    this.#sendNetworks(source);
    if (this.#changedTaskIds.size === 0) return;
    const taskIds = this.#changedTaskIds;
    this.#changedTaskIds = new Set();
    const diff = this.#tracker.incremental(taskIds, (id) => view.task(id), view.index);
    if (diff !== undefined) this.send(assignmentsMessage(diff, view));
  }

  /** Acknowledges a batch once it is committed; in the order of the batches. */
  ackWhen(committed: Promise<void>, seq: number): void {
    this.#acks = Promise.all([this.#acks, committed]).then(
      () => {
        this.send({ statusAck: { seq } });
      },
      () => {
        // Leadership is being lost: the agent keeps its statuses and sends them to the next leader.
      },
    );
  }

  send(message: Out): void {
    if (this.#isEnded || this.#call.cancelled) return;
    this.#call.write(message);
  }

  /** Says a last word and ends the stream; later calls do nothing. */
  end(message?: Out): void {
    if (this.#isEnded) return;
    if (message !== undefined) this.send(message);
    this.#isEnded = true;
    this.#call.end();
  }

  fail(error: Error): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#call.emit("error", error);
  }

  /** Before the tasks that are on them. */
  #sendNetworks({ networksOf }: SessionSource): void {
    const news = this.#networkNews;
    this.#networkNews = undefined;
    if (news === "complete") {
      const state = networksOf(this.nodeId);
      this.#networkIndex = state.index;
      this.send(networksMessage({ kind: "complete", state }));
    } else if (news !== undefined && news.index > this.#networkIndex) {
      // Otherwise a complete state that was sent in between had it.
      const appliesTo = this.#networkIndex;
      this.#networkIndex = news.index;
      this.send(networksMessage({ kind: "delta", appliesTo, delta: news }));
    }
  }

  #sendNode(node: Node, { view, managers }: SessionSource): void {
    const message = nodeUpdateMessage(node, view, managers());
    const text = JSON.stringify(message);
    if (text === this.#sentNodeUpdate) return;
    this.#sentNodeUpdate = text;
    this.send(message);
  }

  #waitForDrain(onDrain: () => void): void {
    if (this.#isBlocked) return;
    this.#isBlocked = true;
    this.#call.once("drain", () => {
      this.#isBlocked = false;
      onDrain();
    });
  }
}
