import { describe, expect, test } from "vitest";
import { parseGenericResources } from "./generic-resources.js";

const pieces = (Kind: string, Value: number) => ({ DiscreteResourceSpec: { Kind, Value } });
const named = (Kind: string, Value: string) => ({ NamedResourceSpec: { Kind, Value } });

describe("generic resources of a node", () => {
  test.each([
    { text: "gpu=2", expected: [pieces("gpu", 2)] },
    { text: "gpu=UUID1,gpu=UUID2", expected: [named("gpu", "UUID1"), named("gpu", "UUID2")] },
    { text: "gpu=4,fpga=a", expected: [pieces("gpu", 4), named("fpga", "a")] },
  ])("$text", ({ text, expected }) => {
    expect(parseGenericResources(text)).toEqual(expected);
  });

  test.each([
    { text: "gpu", why: "no generic resource" },
    { text: "gpu=", why: "no generic resource" },
    { text: "=2", why: "no generic resource" },
    { text: "gpu=1=2", why: "no generic resource" },
    { text: "gpu=0", why: "1 or more" },
    { text: "gpu=2,gpu=a", why: "either one number or names" },
    { text: "gpu=2,gpu=2", why: "either one number or names" },
    { text: "gpu=a,gpu=a", why: "the name gpu=a is given twice" },
  ])("$text is refused: $why", ({ text, why }) => {
    expect(() => parseGenericResources(text)).toThrow(why);
  });

  test("a repeated flag adds to the ones before", () => {
    const both = parseGenericResources("gpu=b", parseGenericResources("gpu=a"));
    expect(both).toEqual([named("gpu", "a"), named("gpu", "b")]);
    expect(() => parseGenericResources("gpu=a", both)).toThrow("given twice");
  });
});
