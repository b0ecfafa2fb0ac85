import { describe, expect, test } from "vitest";
import { parseFlags } from "./flags.js";

test("the defaults are those of a real host", () => {
  expect(parseFlags(["--hostname", "h1"], "1")).toEqual({
    hostname: "h1",
    stateDir: "/var/lib/swarm",
    runDir: "/run/swarm",
    socket: "/run/swarm/swarm.sock",
    containerdAddress: "/run/containerd/containerd.sock",
    containerdNamespace: "swarm",
    cgroupParent: "/swarm",
    advertiseAddr: "",
    listenAddr: "",
    gwbridgePool: "172.20.0.0/14",
    engine: "containerd",
    runtime: "auto",
    genericResources: [],
    logLevel: "info",
  });
});

describe("flags", () => {
  test.each([
    { flags: ["--run-dir", "/x/"], expected: { runDir: "/x", socket: "/x/swarm.sock" } },
    { flags: ["--run-dir", "/x", "--socket", "/y/s"], expected: { socket: "/y/s" } },
    { flags: ["--engine", "simulated"], expected: { engine: "simulated" } },
    { flags: ["--listen-addr", "127.0.0.1:3000"], expected: { listenAddr: "127.0.0.1:3000" } },
  ])("$flags", ({ flags, expected }) => {
    expect(parseFlags(flags, "1")).toMatchObject(expected);
  });
});
