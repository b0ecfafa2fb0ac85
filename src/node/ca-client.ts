/** Calls to a manager's CA on 2377: the root over an unverified connection, certificates over a verified one. */
import { connect } from "node:net";
import {
  type ChannelCredentials,
  Client,
  credentials as grpcCredentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { caService } from "../api/index.js";
import { splitHostPort } from "./core/address.js";

/** A manager that does not answer by then is not there. */
const GET_ROOT_MS = 4_000;
/** Covers the manager's own wait for a leader. */
const ISSUE_MS = 15_000;
const MESSAGE_BYTES_MAX = 64 * 1024;

/** `isDefinite`: asking again, here or elsewhere, gives the same answer. */
export class CaError extends Error {
  override readonly name = "CaError";
  readonly grpcCode: number;

  constructor(grpcCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.grpcCode = grpcCode;
  }

  get isDefinite(): boolean {
    return (
      this.grpcCode === status.INVALID_ARGUMENT ||
      this.grpcCode === status.PERMISSION_DENIED ||
      this.grpcCode === status.UNIMPLEMENTED
    );
  }

  /** The cluster knows this node no more. */
  get isRefused(): boolean {
    return this.grpcCode === status.PERMISSION_DENIED;
  }
}

export type IssueRequest = {
  readonly csrPem: string;
  readonly token: string;
  readonly availability: string;
};
/** Who the node is now stands in the certificate. */
export type IssueReply = {
  readonly certificatePem: string;
  readonly rootBundlePem: string;
  readonly managerAddrs: readonly string[];
};

/** The calls as the flows need them; tests hand in their own. */
export interface CaPort {
  /** The root bundle as the manager shows it. Check its digest before believing it. */
  fetchRoot(addr: string): Promise<string>;
  /** `own` is this node's certificate for a renewal, undefined for a first one. */
  issue(
    addr: string,
    rootBundlePem: string,
    own: { readonly certificatePem: string; readonly privateKeyPem: string } | undefined,
    request: IssueRequest,
  ): Promise<IssueReply>;
  /** The address of this host that a connection to `addr` leaves from. */
  localAddressTowards(addr: string): Promise<string>;
}

export const caClient: CaPort = {
  async fetchRoot(addr) {
    const anyone = grpcCredentials.createSsl(null, null, null, { rejectUnauthorized: false });
    const reply = await call(addr, anyone, caService.getRoot, {}, GET_ROOT_MS);
    return reply.rootBundlePem ?? "";
  },

  async issue(addr, rootBundlePem, own, request) {
    const verified = grpcCredentials.createSsl(
      Buffer.from(rootBundlePem),
      own === undefined ? null : Buffer.from(own.privateKeyPem),
      own === undefined ? null : Buffer.from(own.certificatePem),
    );
    const reply = await call(addr, verified, caService.issue, request, ISSUE_MS);
    return {
      certificatePem: reply.certificatePem ?? "",
      rootBundlePem: reply.rootBundlePem ?? "",
      managerAddrs: reply.managerAddrs ?? [],
    };
  },

  localAddressTowards(addr) {
    const { name, port } = splitHostPort(addr, "remote address");
    return new Promise((resolve, reject) => {
      const socket = connect({ host: name, port: port ?? 0, timeout: GET_ROOT_MS });
      const fail = (cause?: Error): void => {
        socket.destroy();
        reject(new CaError(status.UNAVAILABLE, `cannot connect to ${addr}`, { cause }));
      };
      socket.once("connect", () => {
        const { localAddress = "" } = socket;
        socket.destroy();
        resolve(localAddress.replace(/^::ffff:/, ""));
      });
      socket.once("error", fail);
      socket.once("timeout", () => {
        fail();
      });
    });
  },
};

function call<Req, Res>(
  addr: string,
  channelCredentials: ChannelCredentials,
  method: MethodDefinition<Req, Res>,
  request: Req,
  timeoutMs: number,
): Promise<Res> {
  const client = new Client(addr, channelCredentials, {
    // Node addresses change, identities don't: every manager's certificate carries this name.
    "grpc.ssl_target_name_override": "swarm-manager",
    "grpc.default_authority": "swarm-manager",
    "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_http_proxy": 0,
  });
  return new Promise<Res>((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      new Metadata(),
      { deadline: Date.now() + timeoutMs },
      (error, reply) => {
        client.close();
        if (reply !== undefined && error === null) resolve(reply);
        else reject(toCaError(addr, error));
      },
    );
  });
}

function toCaError(addr: string, error: ServiceError | null): CaError {
  if (error === null) return new CaError(status.INTERNAL, `manager ${addr} gave an empty answer`);
  const isTransport = error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED;
  const message = isTransport
    ? `manager ${addr} cannot be reached (${error.details})`
    : error.details;
  return new CaError(error.code, message, { cause: error });
}
