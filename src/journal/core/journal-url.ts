/**
 * Where the journal's Redis is, as one text:
 *
 *   redis://[user[:password]@]host[:port][/db]                       one server
 *   redis-sentinel://[user[:password]@]host[:port],…/name[/db]       the master that the sentinels name
 *   redis-cluster://[user[:password]@]host[:port],…                  a Redis Cluster
 *
 * `rediss…` in place of `redis…` speaks TLS, with the system's certificate authorities. Special characters of user and
 * password are percent-encoded.
 */
import { cut } from "./diff.js";

export type HostPort = { readonly host: string; readonly port: number };

export type RedisTarget = {
  readonly hosts: readonly HostPort[];
  readonly isTls: boolean;
  /** "" = the default user. */
  readonly username: string;
  readonly password: string;
} & (
  | { readonly kind: "single"; readonly db: number }
  | { readonly kind: "sentinel"; readonly masterName: string; readonly db: number }
  | { readonly kind: "cluster" }
);

export const URL_LENGTH_MAX = 2048;
const HOSTS_MAX = 16;
const DB_MAX = 65_535;
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;
/** Stands for the password wherever a URL is shown. */
export const PASSWORD_MARK = "***";

const SCHEME = /^(redis|rediss)(-sentinel|-cluster)?:\/\//;

/** What is wrong with a URL, for the user; never contains a password. */
export class JournalUrlError extends Error {
  override readonly name = "JournalUrlError";
}

/** Throws JournalUrlError. */
export function parseJournalUrl(url: string): RedisTarget {
  if (url.length > URL_LENGTH_MAX) throw bad(`longer than ${URL_LENGTH_MAX} characters`);
  const scheme = SCHEME.exec(url);
  if (scheme === null) {
    throw bad(
      "it must begin with redis://, rediss://, redis-sentinel://, rediss-sentinel://, redis-cluster:// or rediss-cluster://",
    );
  }
  const rest = url.slice(scheme[0].length);
  if (/[?#\s]/.test(rest)) throw bad("it must not contain blanks, ? or #");
  const at = rest.lastIndexOf("@");
  const [hostsText = "", ...path] = rest.slice(at + 1).split("/");
  const common = {
    isTls: scheme[1] === "rediss",
    ...credentials(at === -1 ? "" : rest.slice(0, at)),
  };
  switch (scheme[2]) {
    case "-sentinel": {
      const [masterName = "", db, ...more] = path;
      if (masterName === "" || more.length > 0)
        throw bad("after the sentinels comes /NAME of the master, and maybe /DB");
      const hosts = parseHosts(hostsText, SENTINEL_PORT);
      return {
        kind: "sentinel",
        ...common,
        hosts,
        masterName: decoded(masterName),
        db: parseDb(db),
      };
    }
    case "-cluster":
      if (path.join("") !== "")
        throw bad("a Redis Cluster has no databases: nothing may follow the hosts");
      return { kind: "cluster", ...common, hosts: parseHosts(hostsText, REDIS_PORT) };
    default: {
      const hosts = parseHosts(hostsText, REDIS_PORT);
      if (hosts.length > 1) throw bad("several hosts need redis-sentinel:// or redis-cluster://");
      if (path.length > 1) throw bad("after the host comes /DB at most");
      return { kind: "single", ...common, hosts, db: parseDb(path[0]) };
    }
  }
}

/** The URL with its password replaced; a text that is none is not shown at all. */
export function redactedUrl(url: string): string {
  const scheme = SCHEME.exec(url);
  if (scheme === null) return url === "" ? "" : PASSWORD_MARK;
  const at = url.lastIndexOf("@");
  if (at === -1) return url;
  const user = url.slice(scheme[0].length, at);
  const colon = user.indexOf(":");
  if (colon === -1) return url;
  return `${scheme[0]}${user.slice(0, colon)}:${PASSWORD_MARK}${url.slice(at)}`;
}

/** Servers without who connects: for logs and status. */
export function targetText({ hosts, kind, isTls }: RedisTarget): string {
  const list = hosts.map(({ host, port }) => `${host}:${port}`).join(",");
  return `${kind === "single" ? "redis" : `redis-${kind}`} ${list}${isTls ? " (TLS)" : ""}`;
}

function credentials(text: string): { readonly username: string; readonly password: string } {
  if (text === "") return { username: "", password: "" };
  const colon = text.indexOf(":");
  if (colon === -1) {
    throw bad("a user needs a password: user:password@host (a password alone: :password@host)");
  }
  return { username: decoded(text.slice(0, colon)), password: decoded(text.slice(colon + 1)) };
}

function parseHosts(text: string, defaultPort: number): readonly HostPort[] {
  const parts = text.split(",");
  if (parts.length > HOSTS_MAX) throw bad(`more than ${HOSTS_MAX} hosts`);
  return parts.map((part) => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(part);
    if (match === null) throw bad(`"${cut(part, 64)}" is no host[:port] (IPv6: [address]:port)`);
    const port = match[3] === undefined ? defaultPort : Number(match[3]);
    if (port < 1 || port > 65_535) throw bad(`port ${port} is not within 1–65535`);
    return { host: match[1] ?? match[2] ?? "", port };
  });
}

function parseDb(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  const db = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(db <= DB_MAX)) throw bad(`"${cut(text, 64)}" is no number of a database`);
  return db;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad("a % in user, password or master name begins an escape: write it as %25");
  }
}

function bad(why: string): JournalUrlError {
  return new JournalUrlError(`the journal's URL is not usable: ${why}`);
}
