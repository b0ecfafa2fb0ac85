/**
 * Compares an answer of ours with a recorded one: same keys, same zero values, same words. Ids, times, versions, addresses and
 * process ids have to have the same form only.
 */

/** Keys whose values name one particular run. */
const OWN_VALUES = new Set([
  "ID",
  "Id",
  "Index",
  "CreatedAt",
  "UpdatedAt",
  "Created",
  "Timestamp",
  "StartedAt",
  "CompletedAt",
  "LastExecution",
  "NodeID",
  "ServiceID",
  "NetworkID",
  "ContainerID",
  "PID",
  "Addr",
  "NodeAddr",
  "SystemTime",
  "MemTotal",
  "NCPU",
  "EngineVersion",
  "ServerVersion",
  "KernelVersion",
  "Worker",
  "Manager",
]);

export type Difference = string;

export function differences(recorded: unknown, ours: unknown, path = "$"): readonly Difference[] {
  if (Array.isArray(recorded) && Array.isArray(ours)) {
    if (recorded.length !== ours.length) {
      return [`${path}: ${recorded.length} elements recorded, ${ours.length} ours`];
    }
    return recorded.flatMap((item: unknown, i) => differences(item, ours[i], `${path}[${i}]`));
  }
  if (isRecord(recorded) && isRecord(ours)) {
    const keys = new Set([...Object.keys(recorded), ...Object.keys(ours)]);
    return [...keys].sort().flatMap((key) => {
      const at = `${path}.${key}`;
      if (!Object.hasOwn(ours, key)) return [`${at}: missing`];
      if (!Object.hasOwn(recorded, key)) return [`${at}: not recorded`];
      return OWN_VALUES.has(key)
        ? sameForm(recorded[key], ours[key], at)
        : differences(recorded[key], ours[key], at);
    });
  }
  return recorded === ours
    ? []
    : [`${path}: ${JSON.stringify(recorded)} recorded, ${JSON.stringify(ours)} ours`];
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function sameForm(recorded: unknown, ours: unknown, path: string): readonly Difference[] {
  if (typeof recorded !== typeof ours) return [`${path}: not a ${typeof recorded}`];
  if (typeof recorded === "object") return differences(recorded, ours, path);
  if (typeof recorded !== "string" || typeof ours !== "string") return [];
  if ((recorded === "") !== (ours === "")) return [`${path}: empty where the other is not`];
  return TIME.test(recorded) === TIME.test(ours) ? [] : [`${path}: not of the form ${recorded}`];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
