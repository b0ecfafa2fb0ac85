/** Unlock keys, `SWMKEY-1-<base64>` (spec §5.2): what managers' keys on disk are encrypted with while autolock is on. */
import { doorError, type Random } from "../../base/index.js";

const PREFIX = "SWMKEY-1-";
const KEY_BYTES = 32;
/** Unpadded standard base64 of 32 bytes. */
const PATTERN = /^SWMKEY-1-([A-Za-z0-9+/]{43})$/;

export function makeUnlockKey(random: Random): string {
  return PREFIX + Buffer.from(random.bytes(KEY_BYTES)).toString("base64").replace(/=+$/, "");
}

/** Throws ApiError 400 when the text has not the form of a key. */
export function parseUnlockKey(text: string): Buffer {
  const base64 = PATTERN.exec(text.trim())?.[1];
  if (base64 === undefined)
    throw doorError(
      "InvalidArgument",
      "invalid unlock key: it has the form SWMKEY-1- and 43 characters; `swarm unlock-key` on a manager that is not locked shows it",
    );
  return Buffer.from(base64, "base64");
}
