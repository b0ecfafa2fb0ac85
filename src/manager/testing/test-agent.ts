import type { Client, ClientDuplexStream, MethodDefinition } from "@grpc/grpc-js";
import {
  dispatcherService,
  type NodeIdentity,
  type swarm,
  TASK_STATE,
  tunnelService,
} from "../../api/index.js";
import type { KeyPair, TestCluster } from "./cluster-kit.js";
import { DESCRIPTION } from "./samples.js";

type In = swarm.dispatcher.DispatcherMessage;
type Out = Parameters<typeof swarm.dispatcher.AgentMessage.encode>[0];
type Frame = swarm.tunnel.TunnelFrame;

/** An agent's wire behaviour over real connections: heartbeats, tasks that start and stop at once, tunnels that echo. */
export class TestAgent implements Disposable {
  readonly received: In[] = [];
  readonly #cluster: TestCluster;
  readonly #keys: KeyPair;
  readonly #clients: Client[] = [];
  readonly #call: ClientDuplexStream<Out, In>;
  readonly #timer: ReturnType<typeof setInterval>;
  #statusSeq = 0;
  isEnded = false;

  constructor(cluster: TestCluster, to: NodeIdentity, keys: KeyPair) {
    this.#cluster = cluster;
    this.#keys = keys;
    this.#call = this.#duplex<Out, In>(to, dispatcherService.session);
    this.#call.on("data", (message: In) => {
      this.received.push(message);
      if (message.openTunnel) this.#openTunnel(message.openTunnel);
      if (message.assignments) this.#run(message.assignments);
    });
    this.#call.on("error", () => {
      this.isEnded = true;
    });
    this.#call.on("end", () => {
      this.isEnded = true;
    });
    const descriptionJson = Buffer.from(JSON.stringify(DESCRIPTION));
    this.#call.write({ hello: { descriptionJson, bootId: "boot" } });
    let seq = 0;
    this.#timer = setInterval(() => {
      if (!this.isEnded)
        this.#call.write({ heartbeat: { seq: ++seq, usage: { cpuNano: 5e8, memBytes: 4096 } } });
    }, 300);
  }

  has(kind: keyof In): boolean {
    return this.received.some((message) => message[kind] !== undefined && message[kind] !== null);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.isEnded = true;
    this.#call.cancel();
    for (const client of this.#clients) client.close();
  }

  #run({ tasks }: swarm.dispatcher.IAssignments): void {
    const statuses = (tasks ?? []).map(({ taskId, desiredState }) => ({
      taskId: taskId ?? "",
      state: (desiredState ?? 0) <= TASK_STATE.running ? TASK_STATE.running : TASK_STATE.shutdown,
      atMs: Date.now(),
      message: "simulated",
    }));
    if (statuses.length > 0) this.#call.write({ statuses: { seq: ++this.#statusSeq, statuses } });
  }

  #openTunnel(asked: swarm.dispatcher.IOpenTunnel): void {
    const to = this.#cluster.identities.find((id) => id.advertiseAddr === asked.managerAddr);
    if (to === undefined) return;
    const call = this.#duplex<Parameters<typeof swarm.tunnel.TunnelFrame.encode>[0], Frame>(
      to,
      tunnelService.open,
    );
    call.on("error", () => {});
    call.on("data", (frame: Frame) => {
      // Echo; what cannot be written yet holds the other side back.
      if (!call.write({ data: frame.data, end: frame.end })) {
        call.pause();
        call.once("drain", () => call.resume());
      }
      if (frame.end) call.end();
    });
    call.write({ tunnelId: asked.tunnelId ?? "" });
  }

  #duplex<Req, Res>(
    to: NodeIdentity,
    method: MethodDefinition<Req, Res>,
  ): ClientDuplexStream<Req, Res> {
    const client = this.#cluster.client(to, this.#keys);
    this.#clients.push(client);
    const { path, requestSerialize, responseDeserialize } = method;
    return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  }
}
