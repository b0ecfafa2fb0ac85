/** Placement constraints: `key==value` or `key!=value`. The only two operators; `==` is searched first. */
import type { Labels, Node } from "../api/index.js";
import { ipMatches } from "./ip-match.js";

export type Constraint = {
  readonly key: string;
  readonly operator: "==" | "!=";
  readonly value: string;
};

/** A constraint that cannot be read. The message is shown to the user as it is. */
export class ConstraintError extends Error {
  override readonly name = "ConstraintError";
}

const OPERATORS = ["==", "!="] as const;
const KEY = /^[a-z_][a-z0-9\-_.]+$/i;
/** Globs and regular expressions are let through by the grammar, but compare literally, as in Swarm. */
const VALUE = /^[a-z0-9:\-_\s.*()?+[\]\\^$|/]+$/i;

/** Reads one expression of `Placement.Constraints`. Throws ConstraintError. Unknown keys parse: they match no node. */
export function parseConstraint(text: string): Constraint {
  for (const operator of OPERATORS) {
    const at = text.indexOf(operator);
    if (at < 0) continue;
    const key = text.slice(0, at).trim();
    const value = text.slice(at + operator.length).trim();
    if (!KEY.test(key)) throw new ConstraintError(`key '${key}' is invalid`);
    if (!VALUE.test(value)) throw new ConstraintError(`value '${value}' is invalid`);
    return { key, operator, value };
  }
  throw new ConstraintError(`constraint expected one operator from ${OPERATORS.join(", ")}`);
}

/** What of a node constraints look at. */
export type ConstrainedNode = Pick<Node, "id" | "spec" | "role" | "description" | "addr">;

/** Whether the node satisfies every constraint. A missing label counts as the empty string. */
export function matchesConstraints(
  constraints: readonly Constraint[],
  node: ConstrainedNode,
): boolean {
  return constraints.every((constraint) => matchesConstraint(constraint, node));
}

/** The same for expressions as stored; what cannot be read matches no node. */
export function meetsConstraints(texts: readonly string[], node: ConstrainedNode): boolean {
  try {
    return matchesConstraints(texts.map(parseConstraint), node);
  } catch (error) {
    if (error instanceof ConstraintError) return false;
    throw error;
  }
}

/** `node.labels.disk==ssd: node.labels.disk is "hdd"`, for a constraint that the node does not satisfy. */
export function describeConstraint(constraint: Constraint, node: ConstrainedNode): string {
  const { key, operator, value } = constraint;
  const lower = key.toLowerCase();
  const actual = lower === "node.ip" ? node.addr : factOf(lower, key, node);
  const text = `${key}${operator}${value}`;
  return actual === undefined
    ? `${text}: there is no such key`
    : `${text}: ${key} is ${actual === "" ? "not set" : `"${actual}"`}`;
}

function matchesConstraint(constraint: Constraint, node: ConstrainedNode): boolean {
  const key = constraint.key.toLowerCase();
  const wanted = constraint.operator === "==";
  if (key === "node.ip") return ipMatches(constraint.value, node.addr) === wanted;
  const actual = factOf(key, constraint.key, node);
  // An unknown key matches neither way: the task waits, visibly, instead of landing anywhere.
  if (actual === undefined) return false;
  return (actual.toLowerCase() === constraint.value.toLowerCase()) === wanted;
}

function factOf(key: string, originalKey: string, node: ConstrainedNode): string | undefined {
  switch (key) {
    case "node.id":
      return node.id;
    case "node.hostname":
      return node.description?.Hostname ?? "";
    case "node.role":
      return node.role;
    case "node.platform.os":
      return node.description?.Platform.OS ?? "";
    case "node.platform.arch":
      return node.description?.Platform.Architecture ?? "";
    default:
      return labelOf(originalKey, node);
  }
}

const NODE_LABEL = "node.labels.";
const ENGINE_LABEL = "engine.labels.";

/**
 * The node's value for `node.labels.K` or `engine.labels.K` ("" when it lacks the label); undefined for any other key.
 * The prefix is case-insensitive, the label's own name is not.
 */
export function labelOf(key: string, node: ConstrainedNode): string | undefined {
  const lower = key.toLowerCase();
  if (lower.startsWith(NODE_LABEL) && key.length > NODE_LABEL.length)
    return own(node.spec.Labels, key.slice(NODE_LABEL.length));
  if (lower.startsWith(ENGINE_LABEL) && key.length > ENGINE_LABEL.length)
    return own(node.description?.Engine.Labels ?? {}, key.slice(ENGINE_LABEL.length));
  return undefined;
}

/** Labels are users' text: a label named "constructor" must not find what every object inherits. */
function own(labels: Labels, name: string): string {
  return (Object.hasOwn(labels, name) ? labels[name] : undefined) ?? "";
}
