/** One stream to one manager's dispatcher: what a session needs of gRPC, and no more. */
import { type ChannelCredentials, Client } from "@grpc/grpc-js";
import { dispatcherService, type swarm } from "../../api/index.js";
import { MANAGER_CHANNEL_OPTIONS } from "./credentials.js";

export type AgentMessage = swarm.dispatcher.AgentMessage.$Properties;
export type DispatcherMessage = swarm.dispatcher.DispatcherMessage.$Properties;

export interface DispatcherStream {
  send(message: AgentMessage): void;
  /** Ends the stream; nothing is delivered afterwards. Safe to repeat. */
  close(): void;
}

export type StreamHandlers = {
  readonly onMessage: (message: DispatcherMessage) => void;
  /** The stream is gone, for the reason given. Called at most once, not after close. */
  readonly onEnd: (reason: string) => void;
};

export type DialDispatcher = (addr: string, handlers: StreamHandlers) => DispatcherStream;

/** Time for what was sent last (a leave notice) to get out before the connection is cut. */
const LINGER_MS = 200;

export function grpcDialer(credentials: () => ChannelCredentials): DialDispatcher {
  return (addr, handlers) => {
    const client = new Client(addr, credentials(), MANAGER_CHANNEL_OPTIONS);
    const { path, requestSerialize, responseDeserialize } = dispatcherService.session;
    const call = client.makeBidiStreamRequest(
      path,
      (value: AgentMessage) => requestSerialize(value),
      (bytes: Buffer): DispatcherMessage => responseDeserialize(bytes),
    );
    let isOver = false;
    const end = (reason: string): void => {
      if (isOver) return;
      isOver = true;
      client.close();
      handlers.onEnd(reason);
    };
    call.on("data", (message: DispatcherMessage) => {
      if (!isOver) handlers.onMessage(message);
    });
    call.on("error", (error) => end(error.message));
    call.on("end", () => end("the manager ended the session"));
    return {
      send(message) {
        if (!isOver) call.write(message);
      },
      close() {
        if (isOver) return;
        isOver = true;
        call.end();
        setTimeout(() => {
          call.cancel();
          client.close();
        }, LINGER_MS).unref();
      },
    };
  };
}
