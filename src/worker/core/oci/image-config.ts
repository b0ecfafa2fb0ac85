/** Joins what the service asks with what the image says. */
import type { ContainerSpec, HealthcheckSpec } from "../../../api/index.js";
import type { ImageConfig } from "../../engine/index.js";
import { SpecError } from "./types.js";

const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const DEFAULT_STOP_SIGNAL = "SIGTERM";

/** `Command` replaces the image's entrypoint and drops its arguments; `Args` alone replaces only the arguments. */
export function resolveArgs(spec: ContainerSpec, image: ImageConfig): readonly string[] {
  const command = spec.Command ?? [];
  const args = spec.Args ?? [];
  const words =
    command.length > 0
      ? [...command, ...args]
      : [...(image.Entrypoint ?? []), ...(args.length > 0 ? args : (image.Cmd ?? []))];
  if (words.length === 0 || words[0] === "") {
    throw new SpecError(
      `no command specified: image ${spec.Image} has none; set ContainerSpec.Command`,
    );
  }
  return words;
}

/** Later entries win. An entry without `=` removes the variable. The image always gets a PATH. */
export function resolveEnv(
  spec: ContainerSpec,
  image: ImageConfig,
  hostname: string,
): readonly string[] {
  const values = new Map<string, string>();
  const base = [DEFAULT_PATH, `HOSTNAME=${hostname}`, ...(spec.TTY === true ? ["TERM=xterm"] : [])];
  for (const entry of [...base, ...(image.Env ?? []), ...(spec.Env ?? [])]) {
    const at = entry.indexOf("=");
    if (at < 0) values.delete(entry);
    else values.set(entry.slice(0, at), entry);
  }
  return [...values.values()];
}

export function resolveCwd(spec: ContainerSpec, image: ImageConfig): string {
  const cwd = spec.Dir || image.WorkingDir || "/";
  if (!cwd.startsWith("/"))
    throw new SpecError(`ContainerSpec.Dir: "${cwd}" must be an absolute path`);
  return cwd;
}

export function resolveUserText(spec: ContainerSpec, image: ImageConfig): string {
  return spec.User || image.User || "";
}

export function resolveStopSignal(spec: ContainerSpec, image: ImageConfig): string {
  return spec.StopSignal || image.StopSignal || DEFAULT_STOP_SIGNAL;
}

/** The check to run, or undefined for none (`NONE`, or nobody set one). Fields left at 0 come from the image. */
export function resolveHealthcheck(
  spec: ContainerSpec,
  image: ImageConfig,
): HealthcheckSpec | undefined {
  const own = spec.Healthcheck;
  const test = own?.Test !== undefined && own.Test.length > 0 ? own.Test : image.Healthcheck?.Test;
  if (test === undefined || test.length === 0 || test[0] === "NONE") return undefined;
  const pick = (
    name: "Interval" | "Timeout" | "Retries" | "StartPeriod" | "StartInterval",
  ): Partial<Record<typeof name, number>> => {
    const value = own?.[name] || image.Healthcheck?.[name];
    return value === undefined || value === 0 ? {} : { [name]: value };
  };
  return {
    Test: test,
    ...pick("Interval"),
    ...pick("Timeout"),
    ...pick("Retries"),
    ...pick("StartPeriod"),
    ...pick("StartInterval"),
  };
}
