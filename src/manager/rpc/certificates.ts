import type { experimental } from "@grpc/grpc-js";
import type { NodeIdentity } from "../../api/index.js";

type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

/**
 * Feeds this node's certificates to every server and channel. `set` swaps them for new connections; existing ones keep
 * the certificate they were made with until they end.
 */
export class IdentityCertificates implements experimental.CertificateProvider {
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();
  #identity: NodeIdentity;

  constructor(identity: NodeIdentity) {
    this.#identity = identity;
  }

  get identity(): NodeIdentity {
    return this.#identity;
  }

  set(identity: NodeIdentity): void {
    this.#identity = identity;
    for (const listener of this.#caListeners) listener(this.#ca());
    for (const listener of this.#identityListeners) listener(this.#certificate());
  }

  // The library expects the first call of a listener to come after addXListener has returned.
  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    queueMicrotask(() => {
      if (this.#caListeners.has(listener)) listener(this.#ca());
    });
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    queueMicrotask(() => {
      if (this.#identityListeners.has(listener)) listener(this.#certificate());
    });
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }

  #ca(): experimental.CaCertificateUpdate {
    return { caCertificate: Buffer.from(this.#identity.rootBundlePem) };
  }

  #certificate(): experimental.IdentityCertificateUpdate {
    return {
      certificate: Buffer.from(this.#identity.certificatePem),
      privateKey: Buffer.from(this.#identity.privateKeyPem),
    };
  }
}
