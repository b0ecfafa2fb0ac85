/**
 * Generic resources: things of a node that are counted ("4 gpu") or named ("gpu UUID1, UUID2"). Tasks always ask for a number;
 * from a node that lists names they get names. Spec §4.9.
 */
import type { GenericResource } from "../api/index.js";

/** Amount per kind, in the order of kinds. */
export type GenericAmounts = readonly (readonly [kind: string, amount: number])[];

const NOTHING: readonly GenericResource[] = Object.freeze([]);

/** Sums discrete amounts and counts names, by kind. */
export function countGeneric(resources: readonly GenericResource[]): GenericAmounts {
  const amounts = new Map<string, number>();
  for (const resource of resources) {
    const [kind, amount] =
      "DiscreteResourceSpec" in resource
        ? [resource.DiscreteResourceSpec.Kind, resource.DiscreteResourceSpec.Value]
        : [resource.NamedResourceSpec.Kind, 1];
    amounts.set(kind, (amounts.get(kind) ?? 0) + amount);
  }
  return [...amounts].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** One kind on one node. */
type Kind = {
  /** Countable pieces of the node. */
  amount: number;
  /** Names of the node, ascending. */
  names: readonly string[];
  /** Pieces and names that tasks hold, whether the node still has them or not. */
  claimedAmount: number;
  readonly claimedNames: Map<string, number>;
};

/** The generic resources of one node: what it has, and what its tasks hold of it. */
export class GenericStock {
  readonly #kinds = new Map<string, Kind>();

  setTotal(resources: readonly GenericResource[]): void {
    for (const kind of this.#kinds.values()) {
      kind.amount = 0;
      kind.names = [];
    }
    for (const resource of resources) {
      if ("DiscreteResourceSpec" in resource) {
        const { Kind: name, Value } = resource.DiscreteResourceSpec;
        this.#kind(name).amount += Value;
      } else {
        const { Kind: name, Value } = resource.NamedResourceSpec;
        const kind = this.#kind(name);
        kind.names = [...new Set([...kind.names, Value])].sort();
      }
    }
  }

  /** Kinds of the node or of claims, in order. */
  kinds(): readonly string[] {
    return [...this.#kinds.keys()].sort();
  }

  total(name: string): number {
    const kind = this.#kinds.get(name);
    return kind ? kind.amount + kind.names.length : 0;
  }

  /** What a task can still get. Negative when the node lost pieces that are in use. */
  free(name: string): number {
    const kind = this.#kinds.get(name);
    if (!kind) return 0;
    let free = kind.amount - kind.claimedAmount;
    for (const text of kind.names) if (!kind.claimedNames.has(text)) free++;
    // The node gave up names for a plain number: what is held by name counts against it.
    return kind.names.length === 0 ? free - kind.claimedNames.size : free;
  }

  /** What a task gets when it asks for `amounts`, which are free: names before pieces, lowest name first. */
  choose(amounts: GenericAmounts): readonly GenericResource[] {
    if (amounts.length === 0) return NOTHING;
    return amounts.flatMap(([name, amount]) => {
      const kind = this.#kinds.get(name);
      const names = (kind?.names ?? [])
        .filter((text) => !kind?.claimedNames.has(text))
        .slice(0, amount);
      const rest = amount - names.length;
      return [
        ...names.map((Value) => ({ NamedResourceSpec: { Kind: name, Value } })),
        ...(rest > 0 ? [{ DiscreteResourceSpec: { Kind: name, Value: rest } }] : []),
      ];
    });
  }

  /** Whether the node has every piece of the claim and no other task holds it. */
  covers(claim: readonly GenericResource[]): boolean {
    return claim.every((resource) => {
      if ("DiscreteResourceSpec" in resource)
        return this.free(resource.DiscreteResourceSpec.Kind) >= resource.DiscreteResourceSpec.Value;
      const { Kind: name, Value } = resource.NamedResourceSpec;
      const kind = this.#kinds.get(name);
      return kind?.names.includes(Value) === true && !kind.claimedNames.has(Value);
    });
  }

  /** Books (`sign` 1) or frees (−1) a claim. */
  account(claim: readonly GenericResource[], sign: 1 | -1): void {
    for (const resource of claim) {
      if ("DiscreteResourceSpec" in resource) {
        const { Kind: name, Value } = resource.DiscreteResourceSpec;
        this.#kind(name).claimedAmount += sign * Value;
        continue;
      }
      const { Kind: name, Value } = resource.NamedResourceSpec;
      const { claimedNames } = this.#kind(name);
      const holders = (claimedNames.get(Value) ?? 0) + sign;
      if (holders > 0) claimedNames.set(Value, holders);
      else claimedNames.delete(Value);
    }
  }

  #kind(name: string): Kind {
    let kind = this.#kinds.get(name);
    if (!kind) {
      kind = { amount: 0, names: [], claimedAmount: 0, claimedNames: new Map() };
      this.#kinds.set(name, kind);
    }
    return kind;
  }
}
