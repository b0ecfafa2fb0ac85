import { credentials, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dispatcherService, type swarm } from "../../api/index.js";
import { SeededRandom, SystemClock } from "../../base/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import { ManagerCalls } from "./manager-calls.js";

type Reply = swarm.dispatcher.ConnectionReply.$Properties;

const NEVER = new AbortController().signal;
/** Nobody listens there. */
const AWAY = "127.0.0.1:1";
const REQUEST = {
  ...{ taskId: "t1", containerTaskId: "web1", containerId: "abc", containerName: "web.1.web1" },
  ...{ network: "app", aliases: ["db"], addresses: ["10.9.0.7"] },
};
let server: Server;
let addr: string;
let asked: swarm.dispatcher.ConnectRequest[];
let left: swarm.dispatcher.DisconnectRequest[];
/** Of the manager; a number: a gRPC status instead. */
let answers: (Reply | status)[];

type Handler<Req> = (
  call: { readonly request: Req },
  done: (error: object | null, reply?: Reply) => void,
) => void;

function answering<Req>(list: () => Req[]): Handler<Req> {
  return ({ request }, done) => {
    list().push(request);
    const answer = answers.shift() ?? {};
    if (typeof answer === "number") done({ code: answer, details: "no" });
    else done(null, answer);
  };
}

beforeEach(async () => {
  asked = [];
  left = [];
  answers = [];
  server = new Server();
  server.addService(
    { connect: dispatcherService.connect, disconnect: dispatcherService.disconnect },
    { connect: answering(() => asked), disconnect: answering(() => left) },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  addr = `127.0.0.1:${port}`;
});
afterEach(() => server.forceShutdown());

function calls(addrs: readonly string[], clock = new SystemClock()): ManagerCalls {
  return new ManagerCalls({
    addrs: () => addrs,
    credentials: () => credentials.createInsecure(),
    clock,
    random: new SeededRandom(1),
  });
}

test("one that does not answer is left for the next, with the same attachment", async () => {
  answers = [status.UNAVAILABLE, { taskIds: ["t1"] }];
  expect(await calls([AWAY, addr]).connect(REQUEST, NEVER)).toEqual(["t1"]);
  expect(asked).toMatchObject([REQUEST, REQUEST]);
});

test("of a disconnection whose answer is lost it is asked again as the same call, another is one of its own", async () => {
  answers = [status.UNAVAILABLE, { taskIds: ["t1"] }];
  const manager = calls([addr]);
  expect(await manager.disconnect("abc", "app", NEVER)).toEqual(["t1"]);
  await manager.disconnect("abc", "app", NEVER);
  const [first, again, other] = left.map(({ requestId }) => requestId);
  expect(first).toMatch(/^[0-9a-z]{1,25}$/);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});

test("what the cluster says is told with its code, status and words", async () => {
  answers = [
    { error: { code: "AlreadyExists", message: "it is there", http: 409, origin: "door" } },
  ];
  await expect(calls([addr]).connect(REQUEST, NEVER)).rejects.toMatchObject({
    ...{ code: "AlreadyExists", http: 409, restMessage: "it is there" },
  });
});

test("a refusal of the call itself is no reason to try another one", async () => {
  answers = [status.PERMISSION_DENIED];
  await expect(calls([addr, addr]).connect(REQUEST, NEVER)).rejects.toMatchObject({
    ...{ code: "Unavailable", message: `manager ${addr} refused the call: no` },
  });
  expect(asked).toHaveLength(1);
});

test("without any manager it is told so, after twenty seconds", async () => {
  const clock = new FakeClock();
  let error: unknown;
  const call = new ManagerCalls({
    addrs: () => [],
    credentials: () => credentials.createInsecure(),
    clock,
    random: new SeededRandom(1),
  })
    .connect(REQUEST, NEVER)
    .catch((caught: unknown) => {
      error = caught;
    });
  await clock.advance(19_000, 1_000);
  expect(error).toBe(undefined);
  await clock.advance(2_000, 1_000);
  await call;
  expect(error).toMatchObject({ code: "Unavailable", http: 503 });
});

test("a caller that is gone is waited for no longer", async () => {
  const gone = new AbortController();
  const call = calls([AWAY]).connect(REQUEST, gone.signal);
  setImmediate(() => gone.abort(new Error("gone")));
  await expect(call).rejects.toThrow("gone");
});
