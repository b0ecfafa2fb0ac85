/** The package's version: one source, package.json. */
import { readFileSync } from "node:fs";

export function packageVersion(): string {
  const path = new URL("../../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(path, "utf8")) as { version?: unknown };
  return typeof version === "string" ? version : "unknown";
}
