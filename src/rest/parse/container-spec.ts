/** ContainerSpec of a task template (Engine API 1.50), as decoder tables. */
import type { ContainerSpec, FileTarget, MountSpec } from "../../api/index.js";
import {
  type Decoder,
  duration,
  flag,
  int64,
  list,
  map,
  mapped,
  oneOf,
  passedOn,
  pointer,
  struct,
  text,
  textList,
  textMap,
  uint32,
} from "./decoder.js";

const fileTarget: Decoder<FileTarget> = mapped(
  struct("FileTarget", { Name: text, UID: text, GID: text, Mode: uint32 }),
  (raw) => ({
    Name: raw.Name ?? "",
    UID: raw.UID ?? "",
    GID: raw.GID ?? "",
    Mode: raw.Mode ?? 0,
  }),
);

const secretReference = mapped(
  struct("SecretReference", { File: fileTarget, SecretID: text, SecretName: text }),
  (raw) => ({ ...raw, SecretID: raw.SecretID ?? "", SecretName: raw.SecretName ?? "" }),
);

const configReference = mapped(
  struct("ConfigReference", {
    File: fileTarget,
    Runtime: mapped(struct("ConfigReferenceRuntimeTarget", {}), (): Record<string, never> => ({})),
    ConfigID: text,
    ConfigName: text,
  }),
  (raw) => ({ ...raw, ConfigID: raw.ConfigID ?? "", ConfigName: raw.ConfigName ?? "" }),
);

const mount: Decoder<MountSpec> = mapped(
  struct("Mount", {
    Type: oneOf(
      ["bind", "volume", "tmpfs", "npipe", "cluster", "image"],
      (value) => `invalid MountType: "${value}"`,
    ),
    Source: text,
    Target: text,
    ReadOnly: flag,
    Consistency: text,
    BindOptions: struct("BindOptions", {
      Propagation: text,
      NonRecursive: flag,
      CreateMountpoint: flag,
      ReadOnlyNonRecursive: flag,
      ReadOnlyForceRecursive: flag,
    }),
    VolumeOptions: struct("VolumeOptions", {
      NoCopy: flag,
      Labels: textMap,
      Subpath: text,
      DriverConfig: struct("Driver", { Name: text, Options: textMap }),
    }),
    ImageOptions: passedOn,
    TmpfsOptions: struct("TmpfsOptions", {
      SizeBytes: int64,
      Mode: uint32,
      Options: list(textList),
    }),
    ClusterOptions: passedOn,
  }),
  (raw) => ({
    ...raw,
    // The zero value of the Engine's own enumeration.
    Type: raw.Type ?? "bind",
    Target: raw.Target ?? "",
  }),
);

const ulimit = mapped(struct("Ulimit", { Name: text, Hard: int64, Soft: int64 }), (raw) => ({
  Name: raw.Name ?? "",
  Hard: raw.Hard ?? 0,
  Soft: raw.Soft ?? 0,
}));

/** "default" is what every read shows; stored it would make an unchanged spec look changed. */
const isolation: Decoder<string> = {
  ...text,
  isEmpty: (value) => value === "" || value === "default",
};

export const containerSpec: Decoder<ContainerSpec> = mapped(
  struct("ContainerSpec", {
    Image: text,
    Labels: textMap,
    Command: textList,
    Args: textList,
    Hostname: text,
    Env: textList,
    Dir: text,
    User: text,
    Groups: textList,
    Privileges: struct("Privileges", {
      CredentialSpec: passedOn,
      SELinuxContext: passedOn,
      Seccomp: struct("SeccompOpts", {
        Mode: oneOf(
          ["default", "unconfined", "custom"],
          (value) => `unsupported seccomp mode: "${value}"`,
        ),
        Profile: text,
      }),
      AppArmor: struct("AppArmorOpts", {
        Mode: oneOf(["default", "disabled"], (value) => `unsupported apparmor mode: "${value}"`),
      }),
      NoNewPrivileges: flag,
    }),
    Init: pointer(flag),
    StopSignal: text,
    TTY: flag,
    OpenStdin: flag,
    ReadOnly: flag,
    Mounts: list(mount),
    StopGracePeriod: pointer(duration),
    Healthcheck: struct("HealthConfig", {
      Test: textList,
      Interval: duration,
      Timeout: duration,
      StartPeriod: duration,
      StartInterval: duration,
      Retries: int64,
    }),
    Hosts: textList,
    DNSConfig: struct("DNSConfig", { Nameservers: textList, Search: textList, Options: textList }),
    Secrets: list(secretReference),
    Configs: list(configReference),
    Isolation: isolation,
    Sysctls: textMap,
    CapabilityAdd: textList,
    CapabilityDrop: textList,
    Ulimits: list(ulimit),
    OomScoreAdj: int64,
  }),
  (raw) => ({ ...raw, Image: raw.Image ?? "" }),
);

export const genericResource = mapped(
  struct("GenericResource", {
    NamedResourceSpec: struct("NamedGenericResource", { Kind: text, Value: text }),
    DiscreteResourceSpec: struct("DiscreteGenericResource", { Kind: text, Value: int64 }),
  }),
  ({ NamedResourceSpec: named, DiscreteResourceSpec: discrete }) =>
    named !== undefined
      ? { NamedResourceSpec: { Kind: named.Kind ?? "", Value: named.Value ?? "" } }
      : {
          DiscreteResourceSpec: { Kind: discrete?.Kind ?? "", Value: discrete?.Value ?? 0 },
        },
);

export const driver = struct("Driver", { Name: text, Options: map(text) });
