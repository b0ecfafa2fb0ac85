/** Body of `POST /networks/create` as a NetworkSpec. What this version cannot do is control's to say. */
import type { NetworkSpec } from "../../api/index.js";
import { flag, list, passedOn, pointer, struct, text, textMap } from "./decoder.js";

const network = struct("NetworkCreateRequest", {
  Name: text,
  Driver: text,
  Scope: text,
  Internal: flag,
  Attachable: flag,
  Ingress: flag,
  EnableIPv4: pointer(flag),
  EnableIPv6: flag,
  ConfigOnly: flag,
  ConfigFrom: passedOn,
  IPAM: struct("IPAM", {
    Driver: text,
    Options: textMap,
    Config: list(
      struct("IPAMConfig", {
        Subnet: text,
        IPRange: text,
        Gateway: text,
        AuxiliaryAddresses: textMap,
      }),
    ),
  }),
  Options: textMap,
  Labels: textMap,
});

export function parseNetworkSpec(body: unknown): NetworkSpec {
  const decoded = network.decode(body ?? {}, "");
  // Without a driver the Engine means `bridge`, a network of one host.
  const driver = decoded.Driver ?? "bridge";
  // Control walks every field again and fills in what is missing.
  return { ...decoded, Driver: driver } as unknown as NetworkSpec;
}
