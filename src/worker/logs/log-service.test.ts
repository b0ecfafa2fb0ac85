import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { SystemClock, silentLogger } from "../../base/index.js";
import { until } from "../testing/fake-clock.js";
import { LogService, parseLogLimits } from "./log-service.js";

const MIB = 2 ** 20;

test.each([
  ["defaults", {}, 10 * MIB, 3],
  ["megabytes", { "max-size": "20m", "max-file": "5" }, 20 * MIB, 5],
  ["binary units, a fraction, a blank", { "max-size": "1.5 GiB" }, 1536 * MIB, 3],
  ["no limit", { "max-size": "-1" }, Number.POSITIVE_INFINITY, 3],
  ["one file", { "max-file": "1" }, 10 * MIB, 1],
])("limits: %s", (_name, options, sizeMaxBytes, fileMax) => {
  expect(parseLogLimits(options)).toEqual({ sizeMaxBytes, fileMax });
});

test("what is written to many spools reaches their logs without being asked for", async () => {
  const dir = await mkdtemp(`${tmpdir()}/log-service-`);
  const service = new LogService({
    clock: new SystemClock(),
    logger: silentLogger,
    puncher: { punch: () => Promise.resolve() },
  });
  service.start();
  const ids = Array.from({ length: 40 }, (_, i) => `t${i}`);
  for (const id of ids) {
    const paths = { spoolDir: `${dir}/${id}/spool`, logDir: `${dir}/${id}/log` };
    await service.open(id, paths, {});
    service.follow(id, paths.spoolDir);
  }
  for (const id of ids) await appendFile(`${dir}/${id}/spool/out`, `hello from ${id}\n`);
  await until(() => ids.every((id) => (service.get(id)?.files.sizeBytes ?? 0) > 30), "all moved");
  service.finish("t0");
  await appendFile(`${dir}/t0/spool/out`, "the last of t0\n");
  const log = await service.open("t0", { spoolDir: "", logDir: "" }, {});
  expect(log.isFinished).toBe(true);
  expect(log.files.sizeBytes).toBeGreaterThan(60);
  service.finish("t1");
  await service.close("t1");
  expect(service.get("t1")).toBeUndefined();
  await service[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});
