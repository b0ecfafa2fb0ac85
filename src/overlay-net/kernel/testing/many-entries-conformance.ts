/** What every kernel port does with entries by the hundred, which may travel otherwise than a few. */
import { describe, expect, test } from "vitest";
import type { FdbEntry, KernelOperation, Neighbour, NetnsState } from "../../core/kernel-model.js";

export type ManyEntriesHarness = {
  /** Name of a VXLAN device on a bridge there. */
  readonly link: string;
  /** The namespace with it. */
  make(): Promise<void>;
  observed(): Promise<NetnsState | undefined>;
  run(operations: readonly KernelOperation[]): Promise<void>;
};

const COUNT = 300;

export function manyEntriesConformance({ link, make, observed, run }: ManyEntriesHarness): void {
  const numbers = Array.from({ length: COUNT }, (_, i) => i);
  const hex = (byte: number): string => byte.toString(16).padStart(2, "0");
  const mac = (i: number): string => `02:42:0a:01:${hex(i >> 8)}:${hex(i & 255)}`;
  const fdb = (i: number): FdbEntry => ({ link, mac: mac(i), dst: i % 2 === 0 ? "10.9.9.9" : "" });
  const neighbour = (i: number): Neighbour => {
    const address = i % 3 === 0 ? `fd00:1::1:${i.toString(16)}` : `10.1.${i >> 8}.${i & 255}`;
    return { link, address, mac: mac(i) };
  };
  const sorted = (items: readonly object[] | undefined): readonly string[] =>
    (items ?? []).map((item) => JSON.stringify(Object.entries(item).sort())).sort();

  describe("entries by the hundred", () => {
    test("are all there, and those that are removed are not", async () => {
      await make();
      await run([
        ...numbers.map((i) => ({ kind: "replaceFdb", entry: fdb(i) }) as const),
        ...numbers.map((i) => ({ kind: "replaceNeighbour", entry: neighbour(i) }) as const),
      ]);
      const all = await observed();
      expect(sorted(all?.fdb)).toEqual(sorted(numbers.map(fdb)));
      expect(sorted(all?.neighbours)).toEqual(sorted(numbers.map(neighbour)));
      const [gone, kept] = [numbers.slice(0, 200), numbers.slice(200)];
      await run([
        ...gone.map((i) => ({ kind: "removeFdb", entry: fdb(i) }) as const),
        ...gone.map((i) => ({ kind: "removeNeighbour", entry: neighbour(i) }) as const),
      ]);
      const rest = await observed();
      expect(sorted(rest?.fdb)).toEqual(sorted(kept.map(fdb)));
      expect(sorted(rest?.neighbours)).toEqual(sorted(kept.map(neighbour)));
    });

    test("the one among them that is no address is named", async () => {
      await make();
      const entries = numbers.map(neighbour);
      entries[150] = { link, address: "10.1.0.256", mac: mac(150) };
      await expect(
        run(entries.map((entry) => ({ kind: "replaceNeighbour", entry }) as const)),
      ).rejects.toThrow(/replaceNeighbour 10\.1\.0\.256 .*"10\.1\.0\.256"/);
    });
  });
}
