/** Throughput and connection rates between namespaces. Paths that are compared are measured in turn, round by round. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { median } from "./statistics.js";

const CHILD = fileURLToPath(new URL("./traffic-child.js", import.meta.url));

function start(netns: string, args: readonly string[]): ChildProcess {
  return spawn("nsenter", [`--net=/run/netns/${netns}`, process.execPath, CHILD, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Serves in a namespace until it is disposed. */
export async function serve(
  netns: string,
  role: "sink" | "door",
  port: number,
): Promise<AsyncDisposable> {
  const child = start(netns, [role, String(port)]);
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`${role} ended with ${code}`)));
  });
  return {
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}

async function numberFrom(netns: string, args: readonly string[]): Promise<number> {
  const child = start(netns, args);
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${args.join(" ")} in ${netns} ended with ${code}`);
  return Number(text);
}

/** From a namespace to an address. */
export type Path = { readonly netns: string; readonly addresses: readonly string[] };

/** Gbit/s. */
export function throughput({ netns, addresses }: Path, port: number, ms: number): Promise<number> {
  return numberFrom(netns, ["source", String(ms), addresses[0] ?? "", String(port)]);
}

/** New connections per second. */
export function connections({ netns, addresses }: Path, port: number, ms: number): Promise<number> {
  return numberFrom(netns, ["caller", String(ms), String(port), ...addresses]);
}

export type Compared<Name extends string> = {
  /** Medians. */
  readonly values: Readonly<Record<Name, number>>;
  /** Median over the rounds of each path's share of `base` in the same round. */
  readonly shares: Readonly<Record<Name, number>>;
};

/** Measures each path once a round; shares are of one round, so that load which comes and goes weighs on both sides of a ratio. */
export async function compare<Name extends string>(
  paths: Readonly<Record<Name, () => Promise<number>>>,
  base: NoInfer<Name>,
  rounds: number,
): Promise<Compared<Name>> {
  const names = Object.keys(paths) as Name[];
  const seen: Record<Name, number>[] = [];
  for (let round = 0; round < rounds; round++) {
    const values = {} as Record<Name, number>;
    // The other way round each second time: what the one before leaves behind meets both.
    for (const name of round % 2 === 0 ? names : [...names].reverse())
      values[name] = await paths[name]();
    seen.push(values);
  }
  const of = (pick: (values: Record<Name, number>, name: Name) => number) =>
    Object.fromEntries(
      names.map((name) => [name, median(seen.map((values) => pick(values, name)))]),
    ) as Record<Name, number>;
  return {
    values: of((values, name) => values[name]),
    shares: of((values, name) => values[name] / values[base]),
  };
}
