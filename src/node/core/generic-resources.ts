/** The node's generic resources as its operator writes them (dockerd's `--node-generic-resource`). */
import type { GenericResource } from "../../api/index.js";

const KIND = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/;
const NUMBER = /^\d{1,9}$/;

/**
 * `gpu=2` (a number of pieces) or `gpu=UUID1,gpu=UUID2` (names), added to those given before. Of one kind either one number or
 * distinct names. Throws RangeError saying what is wrong.
 */
export function parseGenericResources(
  text: string,
  before: readonly GenericResource[] = [],
): readonly GenericResource[] {
  const all = [...before];
  for (const part of text.split(",")) {
    const resource = parseOne(part.trim());
    const { Kind, Value } = valueOf(resource);
    for (const other of all.filter((one) => valueOf(one).Kind === Kind)) {
      if ("DiscreteResourceSpec" in other || "DiscreteResourceSpec" in resource)
        throw new RangeError(`${Kind} is given twice: either one number or names.`);
      if (other.NamedResourceSpec.Value === Value)
        throw new RangeError(`the name ${Kind}=${Value} is given twice.`);
    }
    all.push(resource);
  }
  return all;
}

function parseOne(text: string): GenericResource {
  const [kind = "", value = "", ...rest] = text.split("=");
  if (!KIND.test(kind) || rest.length > 0 || !(NUMBER.test(value) || NAME.test(value)))
    throw new RangeError(`"${text}" is no generic resource: write gpu=2, or gpu=UUID1,gpu=UUID2.`);
  if (!NUMBER.test(value)) return { NamedResourceSpec: { Kind: kind, Value: value } };
  if (Number(value) === 0) throw new RangeError(`"${text}": the number must be 1 or more.`);
  return { DiscreteResourceSpec: { Kind: kind, Value: Number(value) } };
}

function valueOf(resource: GenericResource): {
  readonly Kind: string;
  readonly Value: number | string;
} {
  return "NamedResourceSpec" in resource
    ? resource.NamedResourceSpec
    : resource.DiscreteResourceSpec;
}
