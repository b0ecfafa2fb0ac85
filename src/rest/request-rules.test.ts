/** Rules that hold for every request: versions, queries, filters, bodies. */
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { checkVersion, splitVersion } from "./api-version.js";
import { JSON_BODY_BYTES_MAX, parseJson, readJson } from "./body.js";
import { Filters } from "./filters.js";
import { Query } from "./query.js";

describe("versions", () => {
  test.each([
    { asked: "/info", version: "1.50", url: "/info" },
    { asked: "/v1.41/services?a=/v1.2/", version: "1.41", url: "/services?a=/v1.2/" },
    { asked: "/v1.24", version: "1.24", url: "/" },
    { asked: "/volumes", version: "1.50", url: "/volumes" },
    { asked: "/version", version: "1.50", url: "/version" },
  ])("$asked is $url at $version", ({ asked, version, url }) => {
    expect(splitVersion(asked)).toEqual({ version, url });
  });

  test.each([
    {
      version: "1.51",
      text: "client version 1.51 is too new. Maximum supported API version is 1.50",
    },
    {
      version: "2.0",
      text: "client version 2.0 is too new. Maximum supported API version is 1.50",
    },
    {
      version: "1.9",
      text: "client version 1.9 is too old. Minimum supported API version is 1.24",
    },
  ])("$version is refused", ({ version, text }) => {
    expect(() => {
      checkVersion(version);
    }).toThrow(text);
  });
});

describe("queries", () => {
  test.each([
    ["", false],
    ["f", false],
    ["f=", false],
    ["f=0", false],
    ["f=No", false],
    ["f=none", false],
    ["f=False", false],
    ["f=1", true],
    ["f=True", true],
    ["f=whatever", true],
  ])("lenient boolean of '%s' is %s", (query, wanted) => {
    expect(new Query(`/x?${query}`).flag("f")).toBe(wanted);
  });

  test("a strict boolean refuses other words", () => {
    expect(new Query("/x?status=TRUE").strictFlag("status")).toBe(true);
    expect(() => new Query("/x?status=yes").strictFlag("status")).toThrow(
      "invalid value for status: yes",
    );
  });

  test.each([
    { query: "", text: `invalid node version '': strconv.ParseUint: parsing "": invalid syntax` },
    {
      query: "version=-1",
      text: `invalid node version '-1': strconv.ParseUint: parsing "-1": invalid syntax`,
    },
    {
      query: "version=99999999999999999999",
      text: `invalid node version '99999999999999999999': strconv.ParseUint: parsing "99999999999999999999": value out of range`,
    },
  ])("version from '$query'", ({ query, text }) => {
    expect(() => new Query(`/x?${query}`).version("node")).toThrow(text);
  });
});

describe("filters", () => {
  const KEYS = ["name", "label", "id", "dangling"];

  test.each([
    { name: "the CLI's shape", source: '{"name":{"a":true,"b":true}}', values: ["a", "b"] },
    { name: "docker-py's shape", source: '{"name":["a","b"]}', values: ["a", "b"] },
    {
      name: "a value that is not in the set",
      source: '{"name":{"a":false,"b":true}}',
      values: ["b"],
    },
    { name: "nothing", source: "", values: [] },
    { name: "an empty list", source: '{"name":[]}', values: [] },
  ])("$name", ({ source, values }) => {
    expect(Filters.parse(source, KEYS).values("name")).toEqual(values);
  });

  test.each([
    { source: '{"nokey":{"a":true}}', text: "Invalid filter 'nokey'" },
    { source: '{"name":"a"}', text: "invalid filter 'name'" },
    { source: '["a"]', text: "invalid filter: not a JSON object" },
    { source: '{"name":', text: "unexpected EOF" },
  ])("$source is refused", ({ source, text }) => {
    expect(() => Filters.parse(source, KEYS)).toThrow(text);
  });

  test("values of a key are alternatives, labels must all match", () => {
    const filters = Filters.parse('{"name":["we","db"],"label":["a","b=1"]}', KEYS);
    expect(filters.prefix("name", "web")).toBe(true);
    expect(filters.prefix("name", "api")).toBe(false);
    expect(filters.exact("name", "web")).toBe(false);
    expect(filters.labels("label", { a: "", b: "1" })).toBe(true);
    expect(filters.labels("label", { a: "", b: "2" })).toBe(false);
    expect(filters.labels("label", { b: "1" })).toBe(false);
    expect(filters.exact("id", "anything")).toBe(true);
  });
});

describe("bodies", () => {
  test.each([
    { source: '{"Name":', text: "unexpected EOF" },
    { source: '{"Name":"a', text: "unexpected EOF" },
    { source: "{", text: "unexpected EOF" },
    { source: "hello", text: "invalid character 'h' looking for beginning of value" },
    { source: "{'a':1}", text: "invalid character ''' looking for beginning of object key string" },
    { source: '{"a" 1}', text: "invalid character '1' after object key" },
    { source: '{"a":1 "b":2}', text: `invalid character '"' after object key:value pair` },
    { source: "[1 2]", text: "invalid character '2' after array element" },
    { source: "{} {}", text: "unexpected content after JSON" },
  ])("$source: $text", ({ source, text }) => {
    expect(() => parseJson(source)).toThrow(text);
  });

  test("no body at all", async () => {
    await expect(readJson(undefined, undefined)).rejects.toThrow(
      "got EOF while reading request body",
    );
  });

  test("another content type is refused, as the Engine does", async () => {
    await expect(
      readJson(Readable.from([Buffer.from("a=1")]), "application/x-www-form-urlencoded"),
    ).rejects.toThrow("unsupported Content-Type header (application/x-www-form-urlencoded)");
  });

  test("a body over the limit is refused while it is read", async () => {
    let readCount = 0;
    const endless = Readable.from(
      (function* () {
        for (;;) {
          readCount += 1;
          yield Buffer.alloc(1024 * 1024);
        }
      })(),
    );
    await expect(readJson(endless, undefined)).rejects.toMatchObject({ http: 413 });
    expect(readCount).toBeLessThan(JSON_BODY_BYTES_MAX / (1024 * 1024) + 20);
  });
});
