/** Who the process runs as. runc takes numbers only, so names are looked up in the image's own passwd and group files. */
import { type ResolvedUser, SpecError } from "./types.js";

const ID_MAX = 2 ** 31 - 1;

type PasswdEntry = { readonly name: string; readonly uid: number; readonly gid: number };
type GroupEntry = {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
};

/**
 * Resolves `user[:group]` and extra groups by the rules Docker uses: a known user brings its primary and supplementary
 * groups; an explicit group replaces both; unknown numbers are taken as they are, unknown names are errors.
 */
export function resolveUser(
  text: string,
  extraGroups: readonly string[],
  passwdText: string,
  groupText: string,
): ResolvedUser {
  const [userText = "", groupPart = ""] = splitOnce(text);
  const users = parsePasswd(passwdText);
  const groups = parseGroups(groupText);
  const wanted = userText === "" ? "0" : userText;
  const uidAsked = toId(wanted);
  const entry = users.find((user) =>
    uidAsked === undefined ? user.name === wanted : user.uid === uidAsked,
  );
  const uid = entry?.uid ?? uidAsked;
  if (uid === undefined)
    throw new SpecError(`unable to find user ${userText}: no matching entries in passwd file`);

  const gid = groupPart === "" ? (entry?.gid ?? 0) : findGroup(groupPart, groups);
  const supplementary =
    groupPart === "" && entry !== undefined
      ? groups.filter((group) => group.members.includes(entry.name)).map((group) => group.gid)
      : [];
  const extra = extraGroups.map((group) => findGroup(group, groups));
  // The primary group is listed too: without it a set-gid program could drop it and gain access (CVE-2022-36109).
  return { uid, gid, additionalGids: [...new Set([gid, ...supplementary, ...extra])] };
}

function findGroup(text: string, groups: readonly GroupEntry[]): number {
  const asked = toId(text);
  if (asked !== undefined) return asked;
  const entry = groups.find((group) => group.name === text);
  if (entry === undefined)
    throw new SpecError(`unable to find group ${text}: no matching entries in group file`);
  return entry.gid;
}

function splitOnce(text: string): readonly string[] {
  const at = text.indexOf(":");
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** A decimal id, or undefined for a name. */
function toId(text: string): number | undefined {
  if (!/^-?\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id < 0 || id > ID_MAX)
    throw new SpecError(`ContainerSpec.User: ${text}: uids and gids must be in range 0-${ID_MAX}`);
  return id;
}

function parsePasswd(text: string): readonly PasswdEntry[] {
  return fields(text).flatMap(([name = "", , uid = "", gid = ""]) =>
    /^\d+$/.test(uid) ? [{ name, uid: Number(uid), gid: Number(gid) || 0 }] : [],
  );
}

function parseGroups(text: string): readonly GroupEntry[] {
  return fields(text).flatMap(([name = "", , gid = "", members = ""]) =>
    /^\d+$/.test(gid)
      ? [{ name, gid: Number(gid), members: members.split(",").filter(Boolean) }]
      : [],
  );
}

function fields(text: string): readonly (readonly string[])[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}
