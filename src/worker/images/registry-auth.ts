import type { RegistryAuth } from "../engine/index.js";
import { ImageError } from "./errors.js";

const HEADER_BYTES_MAX = 64 * 1024;

/**
 * Credentials from an `X-Registry-Auth` header: base64 (URL-safe by the book, plain by habit) of a JSON object. undefined
 * if it carries none. Throws ImageError INVALID, without echoing the header.
 */
export function decodeRegistryAuth(header: string | undefined): RegistryAuth | undefined {
  const text = header?.trim() ?? "";
  if (text === "") return undefined;
  if (text.length > HEADER_BYTES_MAX || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(text))
    throw new ImageError("INVALID", "invalid X-Registry-Auth header: not URL-safe base64");
  let raw: unknown;
  try {
    // Node's "base64" reads both alphabets.
    raw = JSON.parse(Buffer.from(text, "base64").toString("utf8"));
  } catch {
    throw new ImageError("INVALID", "invalid X-Registry-Auth header: not base64 of JSON");
  }
  if (raw === null) return undefined;
  if (typeof raw !== "object" || Array.isArray(raw))
    throw new ImageError("INVALID", "invalid X-Registry-Auth header: must be a JSON object");
  const field = (name: string): string => {
    const value: unknown = Reflect.get(raw, name);
    return typeof value === "string" ? value : "";
  };
  const [authUser, authPassword] = splitBasic(field("auth"));
  const username = field("username") || authUser;
  const password = field("password") || authPassword;
  const identityToken = field("identitytoken");
  const registryToken = field("registrytoken");
  if (username === "" && identityToken === "" && registryToken === "") return undefined;
  return {
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    ...(identityToken === "" ? {} : { identityToken }),
    ...(registryToken === "" ? {} : { registryToken }),
  };
}

/** The `auth` field of docker's config file: base64 of `user:password`. */
function splitBasic(base64: string): readonly [string, string] {
  const text = Buffer.from(base64, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? ["", ""] : [text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, "")];
}
