import { getSystemErrorName } from "node:util";
import { KernelError, type NetnsKernelErrorCode } from "../netns-kernel.js";
import type { Ack } from "./codec/message.js";

/** The errnos that are branched on; the same numbers on every architecture Node runs on. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENOBUFS: 105,
} as const;

const CODES: Readonly<Record<number, NetnsKernelErrorCode>> = {
  [ERRNO.EPERM]: "NOT_PERMITTED",
  [ERRNO.EACCES]: "NOT_PERMITTED",
  [ERRNO.EEXIST]: "EXISTS",
  [ERRNO.EADDRINUSE]: "IN_USE",
  [ERRNO.ENOENT]: "NOT_FOUND",
  [ERRNO.ESRCH]: "NOT_FOUND",
  [ERRNO.ENODEV]: "NOT_FOUND",
  [ERRNO.EADDRNOTAVAIL]: "NOT_FOUND",
  [ERRNO.EINVAL]: "INVALID",
  [ERRNO.EOPNOTSUPP]: "MISSING",
};

export function errnoCode(errno: number): NetnsKernelErrorCode {
  return CODES[errno] ?? "FAILED";
}

export function errnoName(errno: number): string {
  return getSystemErrorName(-errno);
}

/** The extended acknowledgement when the kernel gave one, and always the errno's name. */
export function ackText({ errno, text }: Ack): string {
  return text === "" ? errnoName(errno) : `${text} (${errnoName(errno)})`;
}

/** A call that failed outside of any operation. */
export function callError(call: string, errno: number): KernelError {
  return new KernelError(errnoCode(errno), `${call}: ${errnoName(errno)}`);
}
