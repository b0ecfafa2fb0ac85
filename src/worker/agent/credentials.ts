/** This node's identity as gRPC wants it. Replacing it swaps certificates for new connections; open ones go on. */
import { type ChannelCredentials, type ChannelOptions, experimental } from "@grpc/grpc-js";
import type { NodeIdentity } from "../../api/index.js";

type CaListener = Parameters<experimental.CertificateProvider["addCaCertificateListener"]>[0];
type IdentityListener = Parameters<
  experimental.CertificateProvider["addIdentityCertificateListener"]
>[0];

/** Every manager's certificate carries this name: addresses change, identities don't. */
const MANAGER_TLS_NAME = "swarm-manager";

export class LiveIdentity implements experimental.CertificateProvider {
  #identity: NodeIdentity | undefined;
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();

  constructor(identity: NodeIdentity | undefined) {
    this.#identity = identity;
  }

  get current(): NodeIdentity | undefined {
    return this.#identity;
  }

  replace(identity: NodeIdentity | undefined): void {
    this.#identity = identity;
    if (identity === undefined) return;
    for (const listener of this.#caListeners) this.#tellCa(listener, identity);
    for (const listener of this.#identityListeners) this.#tellIdentity(listener, identity);
  }

  /** Credentials that follow later replacements. */
  credentials(): ChannelCredentials {
    return experimental.createCertificateProviderChannelCredentials(this, this);
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    const identity = this.#identity;
    if (identity !== undefined) queueMicrotask(() => this.#tellCa(listener, identity));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    const identity = this.#identity;
    if (identity !== undefined) queueMicrotask(() => this.#tellIdentity(listener, identity));
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }

  #tellCa(listener: CaListener, identity: NodeIdentity): void {
    listener({ caCertificate: Buffer.from(identity.rootBundlePem) });
  }

  #tellIdentity(listener: IdentityListener, identity: NodeIdentity): void {
    listener({
      certificate: Buffer.from(identity.certificatePem),
      privateKey: Buffer.from(identity.privateKeyPem),
    });
  }
}

/** A complete assignment set of a full node fits many times. */
const MESSAGE_MAX_BYTES = 64 * 1024 * 1024;

/** Options of every connection to a manager. */
export const MANAGER_CHANNEL_OPTIONS: ChannelOptions = {
  "grpc.ssl_target_name_override": MANAGER_TLS_NAME,
  "grpc.default_authority": MANAGER_TLS_NAME,
  "grpc.max_receive_message_length": MESSAGE_MAX_BYTES,
  "grpc.max_send_message_length": MESSAGE_MAX_BYTES,
  // A closed session's connection goes with it; the next one begins fresh.
  "grpc.use_local_subchannel_pool": 1,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
};
