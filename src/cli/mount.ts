import { type JsonObject, objectAt } from "./json.js";
import { parseBytes, UsageError } from "./units.js";

type FieldEdit = (mount: JsonObject, value: string) => void;

const yes = (value: string): boolean => value === "" || value === "true" || value === "1";

const FIELDS: Readonly<Record<string, FieldEdit>> = {
  type: (mount, value) => {
    mount["Type"] = value;
  },
  source: (mount, value) => {
    mount["Source"] = value;
  },
  target: (mount, value) => {
    mount["Target"] = value;
  },
  readonly: (mount, value) => {
    mount["ReadOnly"] = yes(value);
  },
  consistency: (mount, value) => {
    mount["Consistency"] = value;
  },
  "bind-propagation": (mount, value) => {
    objectAt(mount, "BindOptions")["Propagation"] = value;
  },
  "volume-nocopy": (mount, value) => {
    objectAt(mount, "VolumeOptions")["NoCopy"] = yes(value);
  },
  "volume-driver": (mount, value) => {
    objectAt(mount, "VolumeOptions", "DriverConfig")["Name"] = value;
  },
  "volume-label": (mount, value) => {
    const [key = "", ...rest] = value.split("=");
    objectAt(mount, "VolumeOptions", "Labels")[key] = rest.join("=");
  },
  "volume-subpath": (mount, value) => {
    objectAt(mount, "VolumeOptions")["Subpath"] = value;
  },
  "tmpfs-size": (mount, value) => {
    objectAt(mount, "TmpfsOptions")["SizeBytes"] = parseBytes(value);
  },
  "tmpfs-mode": (mount, value) => {
    objectAt(mount, "TmpfsOptions")["Mode"] = Number.parseInt(value, 8);
  },
};
const SYNONYMS: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
};

/** `type=volume,source=data,target=/data,readonly`. */
export function parseMount(text: string): JsonObject {
  const mount: JsonObject = { Type: "volume" };
  for (const field of text.split(",")) {
    const [name = "", ...rest] = field.split("=");
    const edit = FIELDS[SYNONYMS[name] ?? name];
    if (edit === undefined) {
      throw new UsageError(
        `--mount ${text}: unknown field "${name}" (${Object.keys(FIELDS).join(", ")})`,
      );
    }
    edit(mount, rest.join("="));
  }
  if (mount["Target"] === undefined) throw new UsageError(`--mount ${text}: target is missing`);
  return mount;
}
