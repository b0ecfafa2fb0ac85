import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SeededRandom, SystemClock, silentLogger } from "../base/index.js";
import { createRestServer } from "./index.js";

test("a socket handed over paused is answered, with the Engine's headers", async () => {
  const dir = mkdtempSync(join(tmpdir(), "rest-"));
  const rest = await createRestServer({
    config: {
      hostname: "n1",
      stateDir: dir,
      runDir: dir,
      socket: join(dir, "s.sock"),
      containerdAddress: "",
      containerdNamespace: "swarm",
      cgroupParent: "",
      engine: "containerd",
      runtime: "auto",
      advertiseAddr: "",
      listenAddr: "",
      gwbridgePool: "",
      genericResources: [],
      logLevel: "error",
    },
    localState: () => ({
      state: "inactive",
      nodeId: "",
      nodeAddr: "",
      error: "",
      isManager: false,
      managers: [],
    }),
    cluster: undefined,
    membership: () => Promise.resolve(undefined),
    workerSocket: join(dir, "worker.sock"),
    clock: new SystemClock(),
    random: new SeededRandom(1),
    logger: silentLogger,
    version: "0.1.0",
  });
  const door = createServer({ pauseOnConnect: true }, (socket) => {
    rest.acceptSocket(socket);
  });
  const path = join(dir, "door.sock");
  await new Promise<void>((resolve) => door.listen(path, resolve));
  const answer = await new Promise<{ status: number; api: unknown; body: string }>(
    (resolve, reject) => {
      request({ socketPath: path, path: "/v1.41/_ping" }, (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on("end", () => {
          resolve({
            status: response.statusCode ?? 0,
            api: response.headers["api-version"],
            body,
          });
        });
      })
        .on("error", reject)
        .end();
    },
  );
  expect(answer).toEqual({ status: 200, api: "1.50", body: "OK" });
  await rest.close();
  door.close();
  rmSync(dir, { recursive: true });
});
