/** Every field of a network spec (spec §1.8), enforced or refused, as `unsupported.ts` has it for services. */
import { bool, choice, list, refused, struct, text, textMap } from "./field-types.js";

export const NETWORK_FIELDS = struct({
  Name: text(),
  Labels: textMap({ fill: {} }),
  Driver: choice(["overlay"], String, { notYet: { "*": "refused" }, fill: "overlay" }),
  Scope: choice(["swarm"], (value) => `invalid network scope: "${value}"`, {
    fill: "swarm",
    notYet: { local: "refused", global: "refused" },
  }),
  Internal: bool(),
  Attachable: bool(),
  Ingress: bool(),
  // What a client sends that does not care; a network without IPv4 is refused in validate-network.
  EnableIPv4: bool({ keepsZero: true }),
  EnableIPv6: bool(),
  ConfigOnly: refused,
  ConfigFrom: refused,
  IPAM: struct({
    Driver: choice(["default"], String, { notYet: { "*": "refused" } }),
    Options: refused,
    Config: list({
      Subnet: text(),
      Gateway: text(),
      IPRange: text(),
      AuxiliaryAddresses: refused,
    }),
  }),
  // Which options, see validate-network.
  Options: textMap(),
});
