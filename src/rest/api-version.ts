/** The Engine API versions that this door speaks, and the `/v1.NN` prefix of request paths (spec §2.1). */
import { doorError } from "../base/index.js";

export const API_VERSION_MAX = "1.50";
export const API_VERSION_MIN = "1.24";

const PREFIX = /^\/v([0-9][0-9.]*)(\/.*)?$/;

/** An API version as a number that compares: 1.41 → 1041. */
export function versionNumber(version: string): number {
  // What clients that name no version speak: asked several times in every request.
  if (version === API_VERSION_MAX) return MAX;
  return parsed(version);
}

function parsed(version: string): number {
  const [major, minor] = version.split(".");
  return Number(major ?? 0) * 1000 + Number(minor ?? 0);
}

const MAX = parsed(API_VERSION_MAX);
const MIN = parsed(API_VERSION_MIN);

/** Splits `/v1.41/info?x` into the asked version and the bare path. Bare paths ask for the maximum. */
export function splitVersion(url: string): { readonly version: string; readonly url: string } {
  const query = url.indexOf("?");
  const path = query < 0 ? url : url.slice(0, query);
  const match = PREFIX.exec(path);
  if (match === null) return { version: API_VERSION_MAX, url };
  const rest = match[2] ?? "/";
  return { version: match[1] ?? API_VERSION_MAX, url: query < 0 ? rest : rest + url.slice(query) };
}

/** Throws 400 for a version outside the range; clients match on the texts. */
export function checkVersion(version: string): void {
  const asked = versionNumber(version);
  if (asked > MAX || Number.isNaN(asked)) {
    throw doorError(
      "InvalidArgument",
      `client version ${version} is too new. Maximum supported API version is ${API_VERSION_MAX}`,
    );
  }
  if (asked < MIN) {
    throw doorError(
      "InvalidArgument",
      `client version ${version} is too old. Minimum supported API version is ${API_VERSION_MIN}, please upgrade your client to a newer version`,
    );
  }
}

/** Clients older than 1.24 expect errors as plain text. */
export function wantsPlainErrors(version: string): boolean {
  return versionNumber(version) < MIN;
}
