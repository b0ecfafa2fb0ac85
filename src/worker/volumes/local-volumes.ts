/** Volumes of the driver "local": directories below the worker's state, kept until somebody deletes them. */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { ContainerSpec, Labels, MountSpec } from "../../api/index.js";
import type { Random } from "../../base/index.js";

export type Volume = {
  readonly name: string;
  readonly mountpoint: string;
  readonly labels: Labels;
  readonly createdAtMs: number;
  readonly isAnonymous: boolean;
};

export type ResolvedMount = {
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
  /** A new volume starts with the image's files at `target`. */
  readonly isCopyUp: boolean;
};

export type MountPlan = {
  /** The spec without volume mounts: what is left is the engine's work. */
  readonly spec: ContainerSpec;
  readonly extraMounts: readonly ResolvedMount[];
  /** Volumes to delete with the container: also those of earlier attempts that are not mounted any more. */
  readonly anonymousNames: readonly string[];
  readonly volumes: readonly VolumeUse[];
};

export type VolumeUse = { readonly name: string; readonly target: string };

/** A mount that cannot be made; the message names target and field. No retry helps. */
export class MountError extends Error {
  override readonly name = "MountError";
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;

export class LocalVolumes {
  readonly #root: string;
  readonly #random: Random;
  readonly #wallMs: () => number;

  constructor(options: {
    readonly root: string;
    readonly random: Random;
    readonly wallMs: () => number;
  }) {
    this.#root = options.root;
    this.#random = options.random;
    this.#wallMs = options.wallMs;
  }

  /**
   * Makes what the spec's mounts need on this node, and an anonymous volume for each path of `imageVolumes` (an image's VOLUME)
   * that no mount covers. `known`: anonymous volumes of an earlier attempt for the same container, used again at their target.
   */
  async plan(
    spec: ContainerSpec,
    imageVolumes: readonly string[],
    known: readonly VolumeUse[],
  ): Promise<MountPlan> {
    const rest: MountSpec[] = [];
    const extraMounts: ResolvedMount[] = [];
    const anonymousNames = known.map(({ name }) => name);
    const volumes: VolumeUse[] = [];
    for (const mount of [...(spec.Mounts ?? []), ...imageMounts(imageVolumes, spec.Mounts ?? [])]) {
      if (mount.Type === "bind") await checkBindSource(mount);
      if (mount.Type !== "volume") {
        rest.push(mount);
        continue;
      }
      checkVolumeMount(mount);
      const { Source: source = "", Target: target } = mount;
      const isAnonymous = source === "";
      const name = isAnonymous
        ? (known.find((volume) => volume.target === target)?.name ?? this.#newName())
        : source;
      if (isAnonymous && !anonymousNames.includes(name)) anonymousNames.push(name);
      const volume = await this.create(name, mount.VolumeOptions?.Labels ?? {}, isAnonymous);
      volumes.push({ name, target });
      extraMounts.push({
        source: volume.mountpoint,
        target,
        isReadOnly: mount.ReadOnly ?? false,
        isCopyUp: mount.VolumeOptions?.NoCopy !== true,
      });
    }
    return { spec: { ...spec, Mounts: rest }, extraMounts, anonymousNames, volumes };
  }

  /** Safe to repeat; labels of an existing volume stay. */
  async create(name: string, labels: Labels, isAnonymous: boolean): Promise<Volume> {
    if (!NAME.test(name)) {
      throw new MountError(
        `volume name ${JSON.stringify(name)} is not valid; use letters, digits, "_", "." and "-"`,
      );
    }
    const known = await this.#read(name);
    if (known !== undefined) return known;
    const volume = {
      name,
      mountpoint: `${this.#root}/${name}/_data`,
      labels,
      createdAtMs: this.#wallMs(),
      isAnonymous,
    };
    await mkdir(volume.mountpoint, { recursive: true, mode: 0o755 });
    const path = `${this.#root}/${name}/volume.json`;
    await writeFile(`${path}.new`, JSON.stringify(volume), { mode: 0o600 });
    await rename(`${path}.new`, path);
    return volume;
  }

  /** A volume with a name of its own making, as clients ask for it; nobody deletes it but they. */
  createAnonymous(labels: Labels): Promise<Volume> {
    return this.create(this.#newName(), labels, false);
  }

  #newName(): string {
    return Buffer.from(this.#random.bytes(32)).toString("hex");
  }

  async list(): Promise<readonly Volume[]> {
    const names = await readdir(this.#root).catch(() => []);
    const volumes = await Promise.all(names.sort().map((name) => this.#read(name)));
    return volumes.filter((volume) => volume !== undefined);
  }

  /** Nothing there is success. */
  async remove(name: string): Promise<void> {
    if (NAME.test(name)) await rm(`${this.#root}/${name}`, { recursive: true, force: true });
  }

  async #read(name: string): Promise<Volume | undefined> {
    try {
      const raw = JSON.parse(await readFile(`${this.#root}/${name}/volume.json`, "utf8")) as Volume;
      return { ...raw, mountpoint: `${this.#root}/${name}/_data` };
    } catch {
      return undefined; // not made yet, or torn by a power cut: made again over the same data
    }
  }
}

/** Paths of an image's VOLUME as mounts, but for those where the service mounts something itself. */
function imageMounts(paths: readonly string[], mounts: readonly MountSpec[]): readonly MountSpec[] {
  const taken = new Set(mounts.map(({ Target }) => resolve("/", Target)));
  const free = paths.map((path) => resolve("/", path)).filter((path) => !taken.has(path));
  if (free.includes("/")) throw new MountError('the image\'s VOLUME "/" cannot be mounted');
  return [...new Set(free)].sort().map((Target) => ({ Type: "volume", Target }));
}

function checkVolumeMount(mount: MountSpec): void {
  const driver = mount.VolumeOptions?.DriverConfig;
  const where = `mount ${mount.Target}`;
  if (driver?.Name !== undefined && driver.Name !== "" && driver.Name !== "local") {
    throw new MountError(`${where}: volume driver "${driver.Name}" is not supported; use "local"`);
  }
  if (Object.keys(driver?.Options ?? {}).length > 0) {
    throw new MountError(`${where}: VolumeOptions.DriverConfig.Options is not supported`);
  }
  if ((mount.VolumeOptions?.Subpath ?? "") !== "") {
    throw new MountError(`${where}: VolumeOptions.Subpath is not supported`);
  }
}

async function checkBindSource(mount: MountSpec): Promise<void> {
  const source = mount.Source ?? "";
  if (!source.startsWith("/")) {
    throw new MountError(
      `invalid mount config for type "bind": invalid mount path: '${source}' mount path must be absolute`,
    );
  }
  if (mount.BindOptions?.CreateMountpoint === true) {
    if (!(await exists(source))) await mkdir(source, { recursive: true });
    return;
  }
  if (!(await exists(source))) {
    throw new MountError(
      `invalid mount config for type "bind": bind source path does not exist: ${source}`,
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
