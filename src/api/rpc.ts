/** gRPC service definitions over the generated codecs. Messages are encoded once; limits are set where they are used. */
import type { MethodDefinition } from "@grpc/grpc-js";
import type { Writer } from "protobufjs";
import { swarm } from "./wire.js";

type Codec<In, Out> = {
  encode(message: In): Writer;
  decode(bytes: Uint8Array): Out;
};

function method<ReqIn, Req extends ReqIn, ResIn, Res extends ResIn>(
  path: string,
  request: Codec<ReqIn, Req>,
  response: Codec<ResIn, Res>,
  stream: { readonly request?: true; readonly response?: true } = {},
): MethodDefinition<ReqIn, Res> & MethodDefinition<Req, ResIn> {
  const definition = {
    path,
    requestStream: stream.request ?? false,
    responseStream: stream.response ?? false,
    requestSerialize: (value: ReqIn) => Buffer.from(request.encode(value).finish()),
    requestDeserialize: (bytes: Buffer) => request.decode(bytes),
    responseSerialize: (value: ResIn) => Buffer.from(response.encode(value).finish()),
    responseDeserialize: (bytes: Buffer) => response.decode(bytes),
  };
  return definition as unknown as MethodDefinition<ReqIn, Res> & MethodDefinition<Req, ResIn>;
}

const BOTH = { request: true, response: true } as const;

export const dispatcherService = {
  session: method(
    "/swarm.dispatcher.Dispatcher/Session",
    swarm.dispatcher.AgentMessage,
    swarm.dispatcher.DispatcherMessage,
    BOTH,
  ),
  connect: method(
    "/swarm.dispatcher.Dispatcher/Connect",
    swarm.dispatcher.ConnectRequest,
    swarm.dispatcher.ConnectionReply,
  ),
  disconnect: method(
    "/swarm.dispatcher.Dispatcher/Disconnect",
    swarm.dispatcher.DisconnectRequest,
    swarm.dispatcher.ConnectionReply,
  ),
};

export const controlService = {
  submit: method(
    "/swarm.control.Control/Submit",
    swarm.control.SubmitRequest,
    swarm.control.SubmitReply,
  ),
  requestTunnel: method(
    "/swarm.control.Control/RequestTunnel",
    swarm.control.TunnelRequest,
    swarm.control.TunnelReply,
  ),
  nodeUsages: method(
    "/swarm.control.Control/NodeUsages",
    swarm.control.NodeUsagesRequest,
    swarm.control.NodeUsagesReply,
  ),
  readJournal: method(
    "/swarm.control.Control/ReadJournal",
    swarm.control.ReadJournalRequest,
    swarm.control.ReadJournalReply,
  ),
};

export const raftService = {
  stream: method(
    "/swarm.control.Raft/Stream",
    swarm.control.RaftFrame,
    swarm.control.RaftStreamEnd,
    {
      request: true,
    },
  ),
};

export const caService = {
  getRoot: method("/swarm.ca.Ca/GetRoot", swarm.ca.GetRootRequest, swarm.ca.GetRootReply),
  issue: method("/swarm.ca.Ca/Issue", swarm.ca.IssueRequest, swarm.ca.IssueReply),
};

export const tunnelService = {
  open: method(
    "/swarm.tunnel.Tunnel/Open",
    swarm.tunnel.TunnelFrame,
    swarm.tunnel.TunnelFrame,
    BOTH,
  ),
};

export const netService = {
  attach: method("/swarm.net.Net/Attach", swarm.net.AttachRequest, swarm.net.AttachReply),
  release: method("/swarm.net.Net/Release", swarm.net.ReleaseRequest, swarm.net.ReleaseReply),
  connect: method("/swarm.net.Net/Connect", swarm.net.ConnectRequest, swarm.net.ConnectReply),
  disconnect: method(
    "/swarm.net.Net/Disconnect",
    swarm.net.DisconnectRequest,
    swarm.net.DisconnectReply,
  ),
  sync: method("/swarm.net.Net/Sync", swarm.net.SyncRequest, swarm.net.SyncReply),
  status: method("/swarm.net.Net/Status", swarm.net.StatusRequest, swarm.net.StatusReply),
  flows: method("/swarm.net.Net/Flows", swarm.net.FlowsRequest, swarm.net.FlowsReply),
  setNetworks: method(
    "/swarm.net.Net/SetNetworks",
    swarm.net.NetworksRequest,
    swarm.net.NetworksReply,
  ),
  verify: method("/swarm.net.Net/Verify", swarm.net.VerifyRequest, swarm.net.VerifyReply),
};
