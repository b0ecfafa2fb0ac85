/** A network spec as it is stored: checked against spec §1.8 and §6.2, addresses in canonical form. */
import { ENCRYPTED_OPTION, internSpec, type NetworkSpec } from "../../api/index.js";
import {
  ApiError,
  type Cidr,
  cidrCovers,
  doorError,
  formatCidr,
  formatIp,
  parseCidr,
  parseIp,
} from "../../base/index.js";
import {
  isHostAddress,
  MTU_OPTION,
  overlayOverhead,
  VNI_OPTION,
  wantedVni,
} from "../../overlay-net/core/index.js";
import { notSupported, type WalkContext, walkStruct } from "./field-types.js";
import { invalid } from "./invalid.js";
import { NETWORK_FIELDS } from "./network-fields.js";
import { checkName } from "./validate-service.js";

const PREDEFINED_LABEL = "com.docker.swarm.predefined";
const PREDEFINED_NAMES: ReadonlySet<string> = new Set(["bridge", "host", "none"]);
/** RFC 791 and RFC 8200: what every link must carry. */
const MTU_MIN = { 4: 68, 6: 1280 } as const;
const MTU_MAX = 65_535;
/** Room for gateway, one service and one task. */
const SUBNET_LENGTH_MAX = { 4: 30, 6: 126 } as const;

type WalkedSpec = Partial<NetworkSpec> & { readonly EnableIPv4?: boolean };
type IpamConfig = NonNullable<NonNullable<NetworkSpec["IPAM"]>["Config"]>[number];

/** Throws ApiError: InvalidArgument, PermissionDenied, Unimplemented. */
export function validateNetwork(input: unknown, context: WalkContext): NetworkSpec {
  // The table is the parser here: its types are those of NetworkSpec.
  const { EnableIPv4, ...walked } = walkStruct(NETWORK_FIELDS, input, "", context) as WalkedSpec;
  checkName(walked.Name);
  const name = walked.Name ?? "";
  if (PREDEFINED_NAMES.has(name.toLowerCase()))
    throw doorError("PermissionDenied", `operation is not permitted on predefined ${name} network`);
  if (walked.Labels && PREDEFINED_LABEL in walked.Labels)
    throw new ApiError(
      "PermissionDenied",
      `label ${PREDEFINED_LABEL} is for predefined networks and cannot be given by users`,
    );
  if (walked.Ingress && walked.Attachable) throw invalid("ingress network cannot be attachable");
  if (walked.Ingress && walked.Internal) throw invalid("ingress network cannot be internal");
  if (EnableIPv4 === false)
    throw notSupported("EnableIPv4", context, " with the value false: overlay networks have IPv4");
  const spec: NetworkSpec = {
    ...walked,
    Name: name,
    Labels: walked.Labels ?? {},
    Driver: "overlay",
    Scope: "swarm",
  };
  checkOptions(spec, context);
  const config = ipamConfig(spec);
  if (config.length === 0) return internSpec(spec);
  return internSpec({ ...spec, IPAM: { ...spec.IPAM, Config: config } });
}

function checkOptions(spec: NetworkSpec, context: WalkContext): void {
  for (const [name, value] of Object.entries(spec.Options ?? {})) {
    switch (name) {
      case VNI_OPTION: {
        const wanted = wantedVni(value);
        if (wanted.kind === "bad") throw invalid(wanted.reason);
        break;
      }
      case MTU_OPTION:
        checkMtu(value, spec);
        break;
      case ENCRYPTED_OPTION:
        if (!context.capabilities.has("encryption"))
          throw notSupported(`Options[${JSON.stringify(name)}]`, context);
        if (value !== "" && value !== "true")
          throw invalid(
            `${ENCRYPTED_OPTION}: "${value}" is neither empty nor true; leave the option out for a network in the clear`,
          );
        break;
      default:
        throw notSupported(
          `Options[${JSON.stringify(name)}]`,
          context,
          `; use ${ENCRYPTED_OPTION}, ${MTU_OPTION} and ${VNI_OPTION}`,
        );
    }
  }
}

/** The option is the underlay's MTU; the network's is smaller by what VXLAN and encryption add. */
function checkMtu(value: string, spec: NetworkSpec): void {
  const least = MTU_MIN[spec.EnableIPv6 ? 6 : 4] + overlayOverhead(spec);
  const mtu = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (mtu < least || mtu > MTU_MAX)
    throw invalid(`${MTU_OPTION}: "${value}" is not a number from ${least} to ${MTU_MAX}`);
}

function ipamConfig(spec: NetworkSpec): readonly IpamConfig[] {
  const found = new Map<4 | 6, IpamConfig>();
  for (const [i, given] of (spec.IPAM?.Config ?? []).entries()) {
    if (!given.Subnet && !given.Gateway && !given.IPRange) continue;
    const { subnet, config } = oneConfig(given, `IPAM.Config[${i}]`);
    if (subnet.family === 6 && !spec.EnableIPv6)
      throw invalid(`IPAM.Config[${i}]: ${config.Subnet} is IPv6; enable it with --ipv6`);
    if (found.has(subnet.family))
      throw invalid(
        `IPAM.Config[${i}]: a network has one subnet of each family, this is the second for IPv${subnet.family}`,
      );
    found.set(subnet.family, config);
  }
  return ([4, 6] as const).flatMap((family) => found.get(family) ?? []);
}

function oneConfig(given: IpamConfig, at: string): { subnet: Cidr; config: IpamConfig } {
  const subnet = parseCidr(given.Subnet ?? "");
  if (!subnet)
    throw invalid(`${at}: invalid subnet "${given.Subnet ?? ""}": use a CIDR like 10.9.0.0/24`);
  const text = formatCidr(subnet);
  if (subnet.length > SUBNET_LENGTH_MAX[subnet.family])
    throw invalid(
      `${at}: subnet ${text} is too small; /${SUBNET_LENGTH_MAX[subnet.family]} is the smallest`,
    );
  return {
    subnet,
    config: {
      Subnet: text,
      ...(given.IPRange ? { IPRange: rangeOf(given.IPRange, subnet, at) } : {}),
      ...(given.Gateway ? { Gateway: gatewayOf(given.Gateway, subnet, at) } : {}),
    },
  };
}

function rangeOf(text: string, subnet: Cidr, at: string): string {
  const range = parseCidr(text);
  if (!range) throw invalid(`${at}: invalid ip-range "${text}": use a CIDR`);
  if (!cidrCovers(subnet, range))
    throw invalid(`${at}: subnet ${formatCidr(subnet)} does not contain ip-range ${text}`);
  return formatCidr(range);
}

function gatewayOf(text: string, subnet: Cidr, at: string): string {
  const gateway = parseIp(text);
  if (!gateway) throw invalid(`${at}: invalid gateway "${text}"`);
  if (!isHostAddress(subnet, text))
    throw invalid(`${at}: gateway ${text} is no host address of subnet ${formatCidr(subnet)}`);
  return formatIp(gateway);
}
