import { describe, expect, test } from "vitest";
import { canonicalName, formatReference, parseReference } from "./reference.js";

const HEX = "a".repeat(64);

describe("parseReference", () => {
  test.each([
    ["busybox", "docker.io/library/busybox:latest", "busybox:latest"],
    ["busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"],
    ["team/app", "docker.io/team/app:latest", "team/app:latest"],
    ["docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"],
    ["index.docker.io/team/app:1", "docker.io/team/app:1", "team/app:1"],
    ["docker.io/library/team/app", "docker.io/library/team/app:latest", "library/team/app:latest"],
    ["localhost/app", "localhost/app:latest", "localhost/app:latest"],
    ["localhost:5000/a/b:x", "localhost:5000/a/b:x", "localhost:5000/a/b:x"],
    [
      "registry.example.com/app",
      "registry.example.com/app:latest",
      "registry.example.com/app:latest",
    ],
    ["Registry/app", "Registry/app:latest", "Registry/app:latest"],
    ["[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest"],
    ["a__b/c.d-e_f", "docker.io/a__b/c.d-e_f:latest", "a__b/c.d-e_f:latest"],
    [`busybox@sha256:${HEX}`, `docker.io/library/busybox@sha256:${HEX}`, `busybox@sha256:${HEX}`],
    [`r.io/a:1@sha256:${HEX}`, `r.io/a@sha256:${HEX}`, `r.io/a:1@sha256:${HEX}`],
  ])("%s", (text, canonical, familiar) => {
    const reference = parseReference(text);
    expect(canonicalName(reference)).toBe(canonical);
    expect(formatReference(reference)).toBe(familiar);
    expect(parseReference(canonical).path).toBe(reference.path);
  });

  test.each([
    ["", "invalid reference format"],
    ["Busybox", "repository name (library/Busybox) must be lowercase"],
    ["r.io/App:1", "repository name (App) must be lowercase"],
    [HEX, "cannot specify 64-byte hexadecimal strings"],
    ["a b", "invalid reference format"],
    ["a:", "invalid reference format"],
    ["a:b:c", "invalid reference format"],
    ["-a/b", "invalid reference format"],
    ["a//b", "invalid reference format"],
    ["r.io/", "invalid reference format"],
    ["a@sha256:123", "invalid reference format"],
    [`a@sha256:${"g".repeat(64)}`, "invalid reference format"],
    [`a:${"t".repeat(129)}`, "invalid reference format"],
    [`r.io/${"a".repeat(256)}`, "must not be more than 255 characters"],
  ])("refuses %j", (text, message) => {
    expect(() => parseReference(text)).toThrow(message);
  });
});
