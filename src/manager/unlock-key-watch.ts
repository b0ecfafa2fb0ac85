/** Tells the owner what this manager's keys on disk are to be encrypted with. */
import type { Store } from "../store/index.js";

/** Calls `tell` with the key of now, "" for none, and with every other one that comes. Without a cluster object it waits for one. */
export function watchUnlockKey(
  store: Pick<Store, "cluster" | "subscribe">,
  tell: (unlockKey: string) => void,
): void {
  let told: string | undefined;
  const look = (): void => {
    const cluster = store.cluster();
    if (cluster === undefined) return;
    const unlockKey = cluster.unlockKey ?? "";
    if (unlockKey === told) return;
    told = unlockKey;
    tell(unlockKey);
  };
  look();
  store.subscribe((batch) => {
    if (batch.kind === "restored" || batch.events.some((event) => event.table === "cluster"))
      look();
  });
}
