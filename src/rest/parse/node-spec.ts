import type { NodeSpec } from "../../api/index.js";
import { duration, mapped, oneOf, pointer, struct, text, textMap, uint64 } from "./decoder.js";

export const availability = oneOf(
  ["active", "pause", "drain"],
  (value) => `invalid Availability: "${value}"`,
);

const nodeSpec = mapped(
  struct("NodeSpec", {
    Name: text,
    Labels: textMap,
    Role: oneOf(["worker", "manager"], (value) => `invalid Role: "${value}"`),
    Availability: availability,
    Drain: struct("NodeSpec.Drain", { Deadline: pointer(duration), MaxParallel: pointer(uint64) }),
  }),
  (raw): NodeSpec => ({
    ...raw,
    Labels: raw.Labels ?? {},
    // The body is the whole spec: what it leaves out is the zero value of the Engine's enumerations.
    Role: raw.Role ?? "worker",
    Availability: raw.Availability ?? "active",
  }),
);

export function parseNodeSpec(body: unknown): NodeSpec {
  return body === undefined || body === null ? nodeSpec.zero : nodeSpec.decode(body, "");
}
