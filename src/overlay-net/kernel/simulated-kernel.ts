import type { Endpoint, Kernel } from "./port.js";

/** Keeps in memory what the real one puts into the kernel: for nodes that run the simulated engine, and for tests. */
export class SimulatedKernel implements Kernel {
  readonly kind = "simulated";
  readonly netns = new Map<string, Endpoint | undefined>();
  readonly bridges = new Map<string, string>();
  readonly repaired: Endpoint[] = [];
  ruleset = "";
  hostRoutes: readonly string[] = [];

  routes(): Promise<readonly string[]> {
    return Promise.resolve(this.hostRoutes);
  }

  bridgeSubnet(bridge: string): Promise<string | undefined> {
    return Promise.resolve(this.bridges.get(bridge));
  }

  ensureBridge(bridge: string, _alias: string, gatewayWithLength: string): Promise<void> {
    this.bridges.set(bridge, gatewayWithLength);
    return Promise.resolve();
  }

  removeBridge(bridge: string): Promise<void> {
    this.bridges.delete(bridge);
    return Promise.resolve();
  }

  addNetns(name: string): Promise<void> {
    if (!this.netns.has(name)) this.netns.set(name, undefined);
    return Promise.resolve();
  }

  addEndpoint(endpoint: Endpoint): Promise<void> {
    this.netns.set(endpoint.netns, endpoint);
    return Promise.resolve();
  }

  repairEndpoint(endpoint: Endpoint): Promise<void> {
    this.repaired.push(endpoint);
    return this.addEndpoint(endpoint);
  }

  setAliases(aliases: ReadonlyMap<string, string>): Promise<void> {
    for (const [netns, endpoint] of this.netns) {
      const alias = endpoint === undefined ? undefined : aliases.get(endpoint.hostLink);
      if (endpoint !== undefined && alias !== undefined)
        this.netns.set(netns, { ...endpoint, alias });
    }
    return Promise.resolve();
  }

  aliases(): Promise<ReadonlyMap<string, string>> {
    const endpoints = [...this.netns.values()].filter((endpoint) => endpoint !== undefined);
    return Promise.resolve(new Map(endpoints.map(({ hostLink, alias }) => [hostLink, alias])));
  }

  removeNetns(name: string): Promise<void> {
    this.netns.delete(name);
    return Promise.resolve();
  }

  netnsPath(name: string): string {
    return `/run/netns/${name}`;
  }

  async nameHostNetns(name: string): Promise<string> {
    await this.addNetns(name);
    return this.netnsPath(name);
  }

  addressIn(netns: string): Promise<string | undefined> {
    return Promise.resolve(this.netns.get(netns)?.address.split("/")[0]);
  }

  listNetns(prefix: string): Promise<readonly string[]> {
    return Promise.resolve([...this.netns.keys()].filter((name) => name.startsWith(prefix)).sort());
  }

  clearNames(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  applyRuleset(text: string): Promise<void> {
    this.ruleset = text;
    return Promise.resolve();
  }

  removeTable(): Promise<void> {
    this.ruleset = "";
    return Promise.resolve();
  }

  probe(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }
}
