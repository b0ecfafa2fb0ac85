/** Placeholders in env, hostname and mounts: `{{.Service.Name}}`, `{{.Task.Slot}}`, `{{index .Service.Labels "a.b"}}` (semantics §2.6). */
import type { ContainerSpec, Labels, MountSpec } from "../../../api/index.js";

export type TemplateContext = {
  readonly Service: { readonly ID: string; readonly Name: string; readonly Labels: Labels };
  readonly Node: {
    readonly ID: string;
    readonly Hostname: string;
    readonly Platform: { readonly OS: string; readonly Architecture: string };
  };
  /** Slot is the node's id for global tasks. */
  readonly Task: { readonly ID: string; readonly Name: string; readonly Slot: string };
};

/** A placeholder that cannot be expanded; the message names it. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

const ACTION = /\{\{(-?)\s*(.*?)\s*(-?)\}\}/gs;
const INDEX = /^index\s+(\.[\w.]+)\s+"((?:[^"\\]|\\.)*)"$/;
const FIELD = /^\.[A-Za-z_][\w]*(?:\.[A-Za-z_][\w]*)*$/;
const TEXT = /^"((?:[^"\\]|\\.)*)"$/;

export function expandTemplate(text: string, context: TemplateContext): string {
  if (!text.includes("{{")) return text;
  let out = "";
  let from = 0;
  let shouldTrimNext = false;
  const addText = (piece: string, shouldTrimEnd: boolean): void => {
    const left = shouldTrimNext ? piece.trimStart() : piece;
    out += shouldTrimEnd ? left.trimEnd() : left;
  };
  for (const match of text.matchAll(ACTION)) {
    addText(text.slice(from, match.index), match[1] === "-");
    out += evaluate(match[2] ?? "", context);
    shouldTrimNext = match[3] === "-";
    from = match.index + match[0].length;
  }
  const rest = text.slice(from);
  if (rest.includes("{{")) throw new TemplateError(`unclosed "{{" in ${JSON.stringify(text)}`);
  addText(rest, false);
  return out;
}

function evaluate(action: string, context: TemplateContext): string {
  const literal = TEXT.exec(action);
  if (literal !== null) return unescape(literal[1] ?? "");
  const indexed = INDEX.exec(action);
  if (indexed !== null) {
    const container = lookUp(indexed[1] ?? "", context);
    // A key that is not there gives nothing, as in Go.
    if (isObject(container)) return asText(container[unescape(indexed[2] ?? "")] ?? "", action);
  }
  if (FIELD.test(action)) return asText(lookUp(action, context), action);
  throw new TemplateError(
    `template {{${action}}} is not supported; use .Service.ID, .Service.Name, .Service.Labels, .Node.ID, ` +
      `.Node.Hostname, .Node.Platform.OS, .Node.Platform.Architecture, .Task.ID, .Task.Name or .Task.Slot`,
  );
}

function lookUp(path: string, context: TemplateContext): unknown {
  let value: unknown = context;
  const parts = path.split(".").slice(1);
  for (const [depth, part] of parts.entries()) {
    if (!isObject(value) || (!Object.hasOwn(value, part) && parts[depth - 1] !== "Labels")) {
      throw new TemplateError(`template {{${path}}}: there is no ${part}`);
    }
    value = Object.hasOwn(value, part) ? value[part] : "";
  }
  return value;
}

function asText(value: unknown, action: string): string {
  if (typeof value === "string") return value;
  throw new TemplateError(`template {{${action}}} is not a text; name one of its fields`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, "$1");
}

/** The container spec with every template expanded. */
export function expandContainerSpec(spec: ContainerSpec, context: TemplateContext): ContainerSpec {
  const expand = (text: string): string => expandTemplate(text, context);
  return {
    ...spec,
    ...(spec.Env === undefined ? {} : { Env: spec.Env.map(expand) }),
    ...(spec.Hostname === undefined ? {} : { Hostname: expand(spec.Hostname) }),
    ...(spec.Mounts === undefined
      ? {}
      : { Mounts: spec.Mounts.map((mount) => expandMount(mount, expand)) }),
  };
}

function expandMount(mount: MountSpec, expand: (text: string) => string): MountSpec {
  const { VolumeOptions: volume } = mount;
  return {
    ...mount,
    ...(mount.Source === undefined ? {} : { Source: expand(mount.Source) }),
    Target: expand(mount.Target),
    ...(volume?.Labels === undefined
      ? {}
      : {
          VolumeOptions: {
            ...volume,
            Labels: Object.fromEntries(
              Object.entries(volume.Labels).map(([key, value]) => [key, expand(value)]),
            ),
          },
        }),
  };
}
