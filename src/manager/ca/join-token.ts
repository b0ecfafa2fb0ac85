/** Join tokens, `SWMTKN-1-<digest>-<secret>` (spec §5.3): the digest proves the root to the node, the secret the node to the cluster. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { JoinTokens, NodeRole } from "../../api/index.js";
import { ApiError, type Random } from "../../base/index.js";

const PREFIX = "SWMTKN-1";
const DIGEST_LENGTH = 50;
const SECRET_LENGTH = 25;
const SECRET_BYTES = 16;
const PATTERN = /^SWMTKN-1-([0-9a-z]{50})-([0-9a-z]{25})$/;

export type JoinToken = { readonly digest: string; readonly secret: string };

export function makeJoinToken(rootBundlePem: string, random: Random): string {
  const secret = toBase36(random.bytes(SECRET_BYTES), SECRET_LENGTH);
  return `${PREFIX}-${rootDigest(rootBundlePem)}-${secret}`;
}

/** Both tokens of a new cluster. */
export function makeJoinTokens(rootBundlePem: string, random: Random): JoinTokens {
  return {
    worker: makeJoinToken(rootBundlePem, random),
    manager: makeJoinToken(rootBundlePem, random),
  };
}

/** Throws ApiError InvalidArgument when the text has not the form of a token. */
export function parseJoinToken(token: string): JoinToken {
  const match = PATTERN.exec(token.trim());
  const [, digest, secret] = match ?? [];
  if (digest === undefined || secret === undefined) {
    throw new ApiError(
      "InvalidArgument",
      "A valid join token is necessary to join this cluster: this text has not the form SWMTKN-1-…-…; " +
        'show it with "swarm join-token worker" on a manager',
    );
  }
  return { digest, secret };
}

/** SHA-256 of the bundle's PEM text as 50 base-36 digits. */
export function rootDigest(rootBundlePem: string): string {
  return toBase36(createHash("sha256").update(rootBundlePem).digest(), DIGEST_LENGTH);
}

/** Throws ApiError FailedPrecondition when the root a manager offered is not the one the token names. */
export function verifyRootDigest(token: JoinToken, rootBundlePem: string): void {
  const actual = rootDigest(rootBundlePem);
  if (actual !== token.digest) {
    throw new ApiError(
      "FailedPrecondition",
      `remote CA does not match fingerprint: the join token names ${token.digest}, the manager at that address has ` +
        `${actual} (fingerprint mismatch). The token is of another cluster, or something stands between this node and the manager`,
    );
  }
}

/** The role a token admits to, or undefined when the cluster does not know it. Takes the same time wherever they differ. */
export function roleOfToken(tokens: JoinTokens, token: string): NodeRole | undefined {
  const text = token.trim();
  const isManager = isSame(tokens.manager, text);
  const isWorker = isSame(tokens.worker, text);
  if (isManager) return "manager";
  return isWorker ? "worker" : undefined;
}

function isSame(a: string, b: string): boolean {
  const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digestOf(a), digestOf(b));
}

function toBase36(bytes: Uint8Array, length: number): string {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`)
    .toString(36)
    .padStart(length, "0");
}
