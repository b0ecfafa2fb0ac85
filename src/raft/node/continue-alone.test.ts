/** A member whose group is lost goes on alone: on the real disk, through restarts and a torn write. */
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LocalCluster, type Running, retry, until } from "../testing/cluster.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
let cluster: LocalCluster;

beforeEach(async () => {
  cluster = await LocalCluster.create();
});
afterEach(() => cluster.destroy());

/** Three members with a few writes; then a and b are gone, and c is stopped. */
async function loseTwo(): Promise<string[]> {
  await cluster.grow(3);
  for (let i = 0; i < 5; i++) await cluster.leader().node.propose(bytes(`w${i}`));
  const { machine } = cluster.get("c");
  await until(() => machine.items.length === 5);
  for (const id of ["a", "b", "c"]) await cluster.stop(id);
  return [...machine.items];
}

async function openAlone(): Promise<Running> {
  const running = await cluster.open("c", false, { continueAlone: true });
  await until(() => running.node.status().role === "leader");
  return running;
}

const memberIds = ({ node }: Running): string[] => node.status().members.map(({ id }) => id);

test("the survivor leads with all that was committed, and takes writes", async () => {
  const items = await loseTwo();
  const alone = await openAlone();
  expect(memberIds(alone)).toEqual(["c"]);
  await alone.node.readBarrier();
  expect(alone.machine.items).toEqual(items);
  await alone.node.propose(bytes("after"));

  await cluster.stop("c");
  const again = await cluster.open("c", false);
  await until(() => again.node.status().role === "leader");
  await again.node.readBarrier();
  expect(again.machine.items).toEqual([...items, "after"]);
  expect(memberIds(again)).toEqual(["c"]);
});

test("doing it again loses nothing that was written since", async () => {
  const items = await loseTwo();
  const first = await openAlone();
  await first.node.propose(bytes("after"));
  await cluster.stop("c");
  const second = await openAlone();
  await second.node.readBarrier();
  expect(second.machine.items).toEqual([...items, "after"]);
});

test("from a snapshot, and a learner that was being added is lost too", async () => {
  const items = await loseTwo();
  const first = await openAlone();
  await first.node.snapshotNow();
  await first.node.changeMembership({ kind: "addLearner", id: "d", context: bytes("addr-d") });
  await cluster.stop("c");
  const second = await openAlone();
  expect(second.machine.items).toEqual(items);
  expect(memberIds(second)).toEqual(["c"]);
});

test("a crash while it is written leaves the old group, and the next attempt does it", async () => {
  const items = await loseTwo();
  const dir = join(cluster.root, "c");
  const [log] = (await readdir(dir)).filter((name) => name.startsWith("wal-"));
  if (log === undefined) throw new Error("no log");
  const before = (await stat(join(dir, log))).size;
  // Opened and ended at once: the rewrite is the first frame behind what was there.
  await cluster.open("c", false, { continueAlone: true });
  await cluster.stop("c");
  const file = await open(join(dir, log), "r+");
  await file.truncate(before + 100);
  await file.close();

  const old = await cluster.open("c", false);
  expect(memberIds(old)).toEqual(["a", "b", "c"]);
  expect(old.node.status().role).not.toBe("leader");
  await cluster.stop("c");
  const alone = await openAlone();
  await alone.node.readBarrier();
  expect(alone.machine.items).toEqual(items);
});

test("the old members come back together: told by the survivor, they end, and a new member gets everything", async () => {
  const items = await loseTwo();
  const alone = await openAlone();
  await alone.node.propose(bytes("after"));
  const a = await cluster.open("a", false);
  const b = await cluster.open("b", false);
  await until(() => [a, b].every(({ node }) => node.status().role === "removed"));
  expect(alone.node.status()).toMatchObject({ role: "leader" });
  expect(memberIds(alone)).toEqual(["c"]);

  await cluster.open("d", false);
  await retry(() => cluster.join("d"));
  const { machine } = cluster.get("d");
  await until(() => machine.items.length === items.length + 1);
  expect(machine.items).toEqual([...items, "after"]);
});

test("an empty directory is refused by name", async () => {
  await expect(cluster.open("x", false, { continueAlone: true })).rejects.toMatchObject({
    code: "MEMBERSHIP_REFUSED",
    message: expect.stringContaining("not received") as string,
  });
});
