/**
 * FDB entries and neighbours on their way to the kernel's thread. There are tens of thousands of them where there are that many endpoints,
 * and a text is handed over in a fraction of the time that as many objects take.
 */
import type { KernelOperation, NetnsOperations } from "../../core/kernel-model.js";

type FdbKind = "replaceFdb" | "removeFdb";
type NeighbourKind = "replaceNeighbour" | "removeNeighbour";
type EntryOperation = Extract<KernelOperation, { readonly kind: FdbKind | NeighbourKind }>;

/** Operations of one kind that follow each other: a line each, its fields apart by one space, as no name of a link holds any. */
export type PackedEntries = {
  readonly kind: "packed";
  readonly of: EntryOperation["kind"];
  readonly text: string;
};

export type PackedOperations = {
  readonly netns: string;
  readonly operations: readonly (KernelOperation | PackedEntries)[];
};

/** Fewer in a row stay as they are. */
const PACKED_MIN = 16;

export function packOperations(batch: readonly NetnsOperations[]): readonly PackedOperations[] {
  return batch.map(({ netns, operations }) => ({ netns, operations: pack(operations) }));
}

function pack(
  operations: readonly KernelOperation[],
): readonly (KernelOperation | PackedEntries)[] {
  if (operations.length < PACKED_MIN) return operations;
  const packed: (KernelOperation | PackedEntries)[] = [];
  for (let from = 0; from < operations.length; ) {
    const first = operations[from] as KernelOperation;
    let end = from + 1;
    while (operations[end]?.kind === first.kind) end++;
    const run = operations.slice(from, end);
    if (isEntry(first) && run.length >= PACKED_MIN)
      packed.push({
        kind: "packed",
        of: first.kind,
        text: (run as EntryOperation[]).map(line).join("\n"),
      });
    else for (const one of run) packed.push(one);
    from = end;
  }
  return packed;
}

/** The operations that were packed, in their order. */
export function* unpackEntries({ of, text }: PackedEntries): Generator<KernelOperation> {
  for (const one of text.split("\n")) {
    const [link = "", first = "", second = ""] = one.split(" ");
    if (of === "replaceFdb" || of === "removeFdb")
      yield { kind: of, entry: { link, mac: first, dst: second } };
    else yield { kind: of, entry: { link, address: first, mac: second } };
  }
}

function isEntry(operation: KernelOperation): operation is EntryOperation {
  return operation.kind.endsWith("Fdb") || operation.kind.endsWith("Neighbour");
}

function line({ entry }: EntryOperation): string {
  if ("dst" in entry) return `${entry.link} ${entry.mac} ${entry.dst}`;
  return `${entry.link} ${entry.address} ${entry.mac}`;
}
