/** What nodes found of a network in their kernels, as lines for people. */
export type NodeVerification = {
  readonly NodeID: string;
  readonly Hostname: string;
  readonly AppliedIndex: number;
  readonly Encryption?: string;
  readonly Proxied6?: readonly {
    readonly TaskID: string;
    readonly Protocol: string;
    readonly TargetPort: number;
  }[];
  readonly Error: string;
  readonly Drifts: readonly {
    readonly NetworkID: string;
    readonly Netns: string;
    readonly What: string;
    readonly Repaired: boolean;
  }[];
};

const ID_SHOWN = 12;
/** Ports in one row. */
const PORTS_SHOWN = 4;

/** One row per finding; a node without one says so. */
export function verifyRows(nodes: readonly NodeVerification[]): readonly (readonly string[])[] {
  const rows = nodes.flatMap((node) => {
    const name = node.Hostname === "" ? node.NodeID.slice(0, ID_SHOWN) : node.Hostname;
    if (node.Error !== "") return [[name, "", "unknown", plain(node.Error)]];
    if (node.Drifts.length === 0) return [[name, "", "ok", okText(node)]];
    return node.Drifts.map(({ Netns, What, Repaired }) => [
      name,
      plain(Netns),
      Repaired ? "repaired" : "differs",
      plain(What),
    ]);
  });
  return [["NODE", "NAMESPACE", "STATE", "FINDING"], ...rows];
}

function okText({ AppliedIndex, Encryption, Proxied6 = [] }: NodeVerification): string {
  const encrypted = Encryption === undefined ? "" : `, encrypted by ${implementation(Encryption)}`;
  const ports = Proxied6.slice(0, PORTS_SHOWN).map(
    ({ TaskID, Protocol, TargetPort }) => `${TaskID.slice(0, ID_SHOWN)}:${TargetPort}/${Protocol}`,
  );
  const more = Proxied6.length > PORTS_SHOWN ? ` and ${Proxied6.length - PORTS_SHOWN} more` : "";
  const proxied =
    ports.length === 0 ? "" : `; IPv6 passed on to IPv4 for ${plain(ports.join(", "))}${more}`;
  return `as of index ${AppliedIndex}${encrypted}${proxied}`;
}

function implementation(name: string): string {
  return name === "kernel" ? "the kernel's WireGuard" : plain(name);
}

/** Whether every node answered and holds what it should, now. */
export function isAsWanted(nodes: readonly NodeVerification[]): boolean {
  return nodes.every(
    ({ Error, Drifts }) => Error === "" && Drifts.every(({ Repaired }) => Repaired),
  );
}

/** Texts come from nodes: nothing in them moves a terminal's cursor. */
function plain(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}
