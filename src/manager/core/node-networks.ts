/** What every node has by itself, so that nothing is allocated for it. Specs keep the name: it means something else on each node. */
export const NODE_NETWORKS: ReadonlySet<string> = new Set(["host", "none", "bridge"]);
