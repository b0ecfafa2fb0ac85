/** /volumes of this node: list, inspect, create, remove. */
import type { FastifyInstance } from "fastify";
import { doorError } from "../../base/index.js";
import {
  isTrue,
  matchesAny,
  matchesLabels,
  matchesName,
  parseFilters,
} from "../core/filter/filters.js";
import type { Volume } from "../volumes/index.js";
import { timeText } from "./container-view.js";
import type { HttpContext } from "./context.js";

type Query = Readonly<Record<string, string | undefined>>;

const FILTER_KEYS = new Set(["name", "label", "driver", "dangling"]);

export function addVolumeRoutes(app: FastifyInstance, context: HttpContext): void {
  const { volumes } = context;

  app.get<{ Querystring: Query }>("/volumes", async (request) => {
    const filters = parseFilters(request.query["filters"] ?? "", FILTER_KEYS);
    const used = usedVolumes(context);
    const list = (await volumes.list()).filter(
      (volume) =>
        matchesAny(filters["name"], (name) => matchesName(name, volume.name)) &&
        matchesLabels(filters["label"], volume.labels) &&
        matchesAny(filters["driver"], (driver) => driver === "local") &&
        matchesAny(filters["dangling"], (value) => isTrue(value) === !used.has(volume.name)),
    );
    return { Volumes: list.map(volumeView), Warnings: null };
  });

  app.get<{ Params: { name: string } }>("/volumes/:name", async (request) =>
    volumeView(await find(context, request.params.name)),
  );

  app.post<{ Body: Readonly<Record<string, unknown>> }>(
    "/volumes/create",
    async (request, reply) => {
      const { Name, Driver, DriverOpts, Labels } = request.body as {
        readonly Name?: string;
        readonly Driver?: string;
        readonly DriverOpts?: Readonly<Record<string, string>> | null;
        readonly Labels?: Readonly<Record<string, string>> | null;
      };
      if (Driver !== undefined && Driver !== "" && Driver !== "local") {
        throw doorError("Unimplemented", `volume create: driver "${Driver}" is not supported`);
      }
      if (Object.keys(DriverOpts ?? {}).length > 0) {
        throw doorError("Unimplemented", "volume create: DriverOpts is not supported yet");
      }
      const volume =
        Name === undefined || Name === ""
          ? await volumes.createAnonymous(Labels ?? {})
          : await volumes.create(Name, Labels ?? {}, false);
      return reply.code(201).send(volumeView(volume));
    },
  );

  app.delete<{ Params: { name: string } }>("/volumes/:name", async (request, reply) => {
    const { name } = await find(context, request.params.name);
    const user = usedVolumes(context).get(name);
    if (user !== undefined) {
      throw doorError(
        "AlreadyExists",
        `remove ${name}: volume is in use - [${user}]; remove its service first`,
      );
    }
    await volumes.remove(name);
    return reply.code(204).send();
  });
}

/** Volume name → id of a container that has it. */
function usedVolumes(context: HttpContext): ReadonlyMap<string, string> {
  const used = new Map<string, string>();
  for (const { record } of context.tasks.runners()) {
    if (!record.hasRemains) continue;
    for (const volume of record.volumes) used.set(volume.name, record.status.containerId);
  }
  return used;
}

async function find(context: HttpContext, name: string): Promise<Volume> {
  const volume = (await context.volumes.list()).find((other) => other.name === name);
  if (volume === undefined) throw doorError("NotFound", `get ${name}: no such volume`);
  return volume;
}

function volumeView(volume: Volume): object {
  return {
    CreatedAt: timeText(volume.createdAtMs),
    Driver: "local",
    Labels: volume.labels,
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: null,
    Scope: "local",
  };
}
