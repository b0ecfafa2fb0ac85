/** Whether this node's kernel holds its overlay networks as it should; for managers, by tunnel. */
import type { FastifyInstance } from "fastify";
import type { ProxiedPort6 } from "../../api/index.js";
import { doorError } from "../../base/index.js";
import { NetError } from "../net/index.js";
import type { HttpContext } from "./context.js";

export type NetworkVerification = {
  /** Store index that the kernel holds entirely. */
  readonly AppliedIndex: number;
  /** What encrypts, where this node is on encrypted networks: "kernel" or "wireguard-go". */
  readonly Tunnel?: string;
  /** Of ingress: ports of tasks here that take IPv4 alone. Absent: none. */
  readonly Proxied6?: readonly ProxiedPort6[];
  readonly Drifts: readonly {
    /** "": of the host itself. */
    readonly NetworkID: string;
    readonly Netns: string;
    readonly What: string;
    readonly Repaired: boolean;
  }[];
};

type Query = { readonly network?: string; readonly repair?: string };

export function addNetworkRoutes(app: FastifyInstance, { net }: HttpContext): void {
  app.post<{ Querystring: Query }>(
    "/local/networks/verify",
    async ({ query }): Promise<NetworkVerification> => {
      const networkIds = query.network === undefined ? [] : [query.network];
      const report = await net.verify(networkIds, query.repair === "true").catch(asDoorError);
      return {
        AppliedIndex: report.appliedIndex,
        ...(report.tunnel === undefined ? {} : { Tunnel: report.tunnel.Implementation }),
        ...(report.proxied === undefined ? {} : { Proxied6: report.proxied }),
        Drifts: report.drifts.map(({ networkId, netns, what, isRepaired }) => ({
          NetworkID: networkId,
          Netns: netns,
          What: what,
          Repaired: isRepaired,
        })),
      };
    },
  );
}

function asDoorError(error: unknown): never {
  if (!(error instanceof NetError)) throw error;
  throw doorError(error.code === "NET_DOWN" ? "Unavailable" : "Unknown", error.message);
}
