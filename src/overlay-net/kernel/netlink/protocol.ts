/** What travels between the program and the thread that speaks to the kernel. */
import type { NetnsKernelErrorCode } from "../netns-kernel.js";
import type { PackedOperations } from "./packed-entries.js";

export type Call =
  | { readonly kind: "observe"; readonly netns: string; readonly tablePrefix: string }
  | { readonly kind: "execute"; readonly batch: readonly PackedOperations[] }
  | { readonly kind: "list"; readonly prefix: string }
  | { readonly kind: "nftGeneration"; readonly netns: string }
  | { readonly kind: "openFlows"; readonly netns: string; readonly addresses: readonly string[] }
  | { readonly kind: "watch"; readonly netns: string }
  | { readonly kind: "unwatch"; readonly netns: string }
  | { readonly kind: "close" };

/** What the thread is started with. */
export type ThreadData = {
  /** File for what is in our tables, over a restart of the process; "" for none. */
  readonly contentsPath: string;
};

export type ToThread = { readonly id: number; readonly call: Call };

export type FromThread =
  /** First message: the libraries are loaded. */
  | { readonly kind: "ready" }
  /** First and last message. */
  | { readonly kind: "unavailable"; readonly reason: string }
  | { readonly kind: "done"; readonly id: number; readonly value: unknown }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly code: NetnsKernelErrorCode;
      readonly message: string;
    }
  | { readonly kind: "changed"; readonly netns: string };
