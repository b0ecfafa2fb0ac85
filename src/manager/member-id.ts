import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { ManagerError } from "./errors.js";

const FILE = "member.json";

export type StoredMember = {
  readonly memberId: string;
  /** Whether Raft has something in the directory already. */
  readonly hasState: boolean;
};

/**
 * This node's Raft member id: random, made with the directory, gone with it. A node that lost its log thereby comes back
 * as a new member, never as one that has voted.
 */
export async function loadMember(raftDir: string): Promise<StoredMember> {
  await mkdir(raftDir, { recursive: true, mode: 0o700 });
  const path = join(raftDir, FILE);
  const hasState = (await readdir(raftDir)).some((name) => !name.startsWith(FILE));
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (!isMissing(error)) throw error;
    if (hasState)
      throw new ManagerError("walDamaged", `${path} is missing, but ${raftDir} holds a log`);
    const memberId = randomUUID().replaceAll("-", "").slice(0, 16);
    await writeDurably(raftDir, path, JSON.stringify({ memberId }));
    return { memberId, hasState };
  }
  const memberId = parse(text);
  if (memberId === undefined)
    throw new ManagerError("walDamaged", `${path} is damaged: it does not name a member`);
  return { memberId, hasState };
}

/** On disk before Raft writes its first byte under this id. */
async function writeDurably(dir: string, path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const folder = await open(dir, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function parse(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("memberId" in value)) return undefined;
    const { memberId } = value;
    return typeof memberId === "string" && memberId !== "" ? memberId : undefined;
  } catch {
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
