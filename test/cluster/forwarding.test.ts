/** Creates sent to a follower while the leader freezes: what was acknowledged exists, nothing is refused for its own retry. */
import { beforeEach, expect, test } from "vitest";
import { ClientError } from "../../src/cli/client.js";
import {
  api,
  eventually,
  leader,
  managers,
  reset,
  serviceSpec,
  whileFrozen,
} from "./playground.js";
import { expectOnAllManagers } from "./writers.js";

const CREATE_COUNT = 1_000;
const CLIENT_COUNT = 16;
/** The leader freezes after so many answers. */
const FREEZE_AFTER = 300;
/** 5 × the 2 s that the bench asserts. */
const WRITES_AGAIN_MS = 10_000;
const CALL_LIMIT_MS = 25_000;

beforeEach(reset);

test("leader frozen in the middle of 1,000 named creates: every 201 exists, no self-inflicted 409", async () => {
  const lost = await leader();
  const follower = managers().find((manager) => manager.name !== lost.name);
  if (follower === undefined) throw new Error("no follower");
  const created: string[] = [];
  const refused: { name: string; status: number; message: string }[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    for (;;) {
      const serial = next++;
      if (serial >= CREATE_COUNT) return;
      const name = `create-${serial}`;
      try {
        await api(follower).call("POST", "/services/create", {
          body: serviceSpec(name, { replicas: 0 }),
          signal: AbortSignal.timeout(CALL_LIMIT_MS),
        });
        created.push(name);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        refused.push({ name, status: error.status, message: error.message });
        // "No leader" is said at once: a sensible client asks again when there is one, with its next name.
        await eventually("a leader is known again", WRITES_AGAIN_MS, () =>
          api(follower)
            .call("GET", "/nodes")
            .then(() => true),
        );
      }
    }
  };
  const clients = Promise.all(Array.from({ length: CLIENT_COUNT }, client));
  await eventually("creates flow", 20_000, () => created.length >= FREEZE_AFTER);
  await whileFrozen([lost.pids.front], async () => {
    const before = created.length;
    // Those the freeze caught are answered too: a client waits for its answer before it takes its next name.
    await eventually("creates flow again", WRITES_AGAIN_MS, () => created.length > before + 50);
    await clients;
  });
  expect(refused.filter(({ status }) => status === 409)).toEqual([]);
  // The freeze catches each client once: a retry within the 20 s budget mostly saves even that call.
  expect(refused.length).toBeLessThanOrEqual(2 * CLIENT_COUNT);
  expect(created.length + refused.length).toBe(CREATE_COUNT);
  await eventually("the frozen manager has caught up", 30_000, async () => {
    await expectOnAllManagers(created);
    return true;
  });
  await expectOnAllManagers(created);
});
