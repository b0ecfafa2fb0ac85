import { describe, expect, test } from "vitest";
import { parseChallenge } from "./challenge.js";
import { choosePlatform, platformOf } from "./platform.js";
import { decodeRegistryAuth } from "./registry-auth.js";
import { registryUrl } from "./registry-client.js";

const url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("decodeRegistryAuth", () => {
  test.each([
    { name: "absent", header: undefined, want: undefined },
    { name: "empty", header: "", want: undefined },
    { name: "an empty object", header: url({}), want: undefined },
    { name: "null", header: url(null), want: undefined },
    {
      name: "user and password, unpadded and URL-safe",
      header: url({ username: "ü?>", password: "p~~~" }),
      want: { username: "ü?>", password: "p~~~" },
    },
    {
      name: "plain base64 with padding",
      header: Buffer.from(JSON.stringify({ username: "a", password: "bc" })).toString("base64"),
      want: { username: "a", password: "bc" },
    },
    {
      name: "an identity token",
      header: url({ identitytoken: "t" }),
      want: { identityToken: "t" },
    },
    { name: "a registry token", header: url({ registrytoken: "t" }), want: { registryToken: "t" } },
    {
      name: "the config file's auth field",
      header: url({ auth: Buffer.from("u:p:q").toString("base64") }),
      want: { username: "u", password: "p:q" },
    },
  ])("$name", ({ header, want }) => {
    expect(decodeRegistryAuth(header)).toEqual(want);
  });

  test.each(["%%%", Buffer.from("x").toString("base64"), url([1])])("refuses %j", (header) => {
    expect(() => decodeRegistryAuth(header)).toThrow("invalid X-Registry-Auth header");
  });
});

describe("parseChallenge", () => {
  test.each([
    {
      header: 'Bearer realm="https://a/token",service="s",scope="repository:x:pull,push"',
      want: {
        scheme: "bearer",
        realm: "https://a/token",
        service: "s",
        scope: "repository:x:pull,push",
      },
    },
    { header: 'bearer realm="https://a"', want: { scheme: "bearer", realm: "https://a" } },
    { header: 'Basic realm="a, b"', want: { scheme: "basic" } },
    {
      header: 'Basic realm="a", Bearer realm="https://b"',
      want: { scheme: "bearer", realm: "https://b" },
    },
    { header: "Negotiate", want: undefined },
    { header: "", want: undefined },
  ])("$header", ({ header, want }) => {
    expect(parseChallenge(header)).toEqual(want);
  });
});

describe("choosePlatform", () => {
  const entry = (architecture: string, variant?: string) => ({
    platform: { os: "linux", architecture, ...(variant === undefined ? {} : { variant }) },
  });
  test.each([
    { node: "x64", offered: [entry("arm64"), entry("amd64")], want: 1 },
    { node: "x64", offered: [entry("amd64", "v3"), entry("amd64")], want: 1 },
    { node: "x64", offered: [entry("amd64", "v3")], want: -1 },
    { node: "arm64", offered: [entry("arm64", "v8")], want: 0 },
    { node: "arm64", offered: [entry("arm64", "v9"), entry("arm64")], want: 1 },
    { node: "arm", offered: [entry("arm", "v5"), entry("arm", "v6"), entry("arm64")], want: 1 },
    { node: "x64", offered: [{ platform: { os: "windows", architecture: "amd64" } }], want: -1 },
    { node: "x64", offered: [{ platform: undefined }], want: -1 },
  ])("$node of $offered takes $want", ({ node, offered, want }) => {
    const list: readonly { platform: { os: string; architecture: string } | undefined }[] = offered;
    expect(list.indexOf(choosePlatform(list, platformOf(node)) ?? { platform: undefined })).toBe(
      want,
    );
  });
});

describe("registryUrl", () => {
  test.each([
    ["docker.io", "https://registry-1.docker.io/"],
    ["registry.example.com:5000", "https://registry.example.com:5000/"],
    ["localhost:5000", "http://localhost:5000/"],
    ["127.0.0.7", "http://127.0.0.7/"],
    ["[::1]:5000", "http://[::1]:5000/"],
    ["127.0.0.1.example.com", "https://127.0.0.1.example.com/"],
  ])("%s is %s", (domain, want) => {
    expect(registryUrl(domain).href).toBe(want);
  });
});
