import { access, readFile } from "node:fs/promises";

/** Where a host with cgroup v1 has its v2 tree. */
const UNIFIED = "/sys/fs/cgroup/unified";
const STAND_IN = "/sys/fs/cgroup/systemd";

/**
 * crun refuses a host that has cgroup v1 with some controllers on v2 beside it. The playground's containers need none of those,
 * so its containerd sees a v1 hierarchy in that place: what crun makes there it makes, and removes, twice. Network namespaces made
 * later reach it: /run/netns is a shared mount. Gives the words to put before containerd's command; none where there is no need.
 */
export async function hidingUnified(): Promise<string[]> {
  const controllers = await readFile(`${UNIFIED}/cgroup.controllers`, "utf8").catch(() => "");
  const hasStandIn = await access(`${STAND_IN}/cgroup.procs`).then(
    () => true,
    () => false,
  );
  if (controllers.trim() === "" || !hasStandIn) return [];
  const script = `mount --bind ${STAND_IN} ${UNIFIED} && exec "$@"`;
  return ["unshare", "--mount", "--propagation", "slave", "sh", "-c", script, "sh"];
}
