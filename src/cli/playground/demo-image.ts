import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type Pack, pack } from "tar-stream";

/** The playground's small web server: every node gets it without a registry. */
export const DEMO_IMAGE = "swarm-demo/web:1";

const BUSYBOX_PATHS = ["/bin/busybox", "/usr/bin/busybox"];
/** Everything the page needs, and what an operator types when looking around in a container. */
const APPLETS =
  "sh cat echo hostname ls ps sleep env id ip ping wget nc nslookup vi top kill mount df free date true false head tail grep sed awk httpd yes dd mkdir rm touch printf test seq".split(
    " ",
  );

const PAGE = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
printf 'host %s\\n' "$(hostname)"
printf 'task %s\\n' "\${TASK_NAME:-unknown}"
printf 'node %s\\n' "\${NODE_NAME:-unknown}"
client=\${REMOTE_ADDR#[}
client=\${client%]}
printf 'client %s\\n' "\${client#::ffff:}"
`;

/** The image as a docker-archive tar, the same bytes for the same busybox. */
export async function demoImageTar(): Promise<Buffer> {
  const layer = await layerTar();
  const diffId = `sha256:${sha256(layer)}`;
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === "arm64" ? "arm64" : "amd64",
      os: "linux",
      created: "1970-01-01T00:00:00Z",
      config: {
        Env: ["PATH=/bin"],
        Cmd: ["httpd", "-f", "-v", "-p", "80", "-h", "/www"],
        ExposedPorts: { "80/tcp": {} },
        WorkingDir: "/",
        Labels: { "swarm.demo": "web" },
      },
      rootfs: { type: "layers", diff_ids: [diffId] },
      history: [{ created: "1970-01-01T00:00:00Z", created_by: "swarm playground" }],
    }),
  );
  const configName = `${sha256(config)}.json`;
  const manifest = [{ Config: configName, RepoTags: [DEMO_IMAGE], Layers: ["layer.tar"] }];
  const image = pack();
  image.entry({ name: configName }, config);
  image.entry({ name: "layer.tar" }, layer);
  image.entry({ name: "manifest.json" }, JSON.stringify(manifest));
  image.finalize();
  return collect(image);
}

async function layerTar(): Promise<Buffer> {
  const layer = pack();
  const mtime = new Date(0);
  for (const name of ["bin", "etc", "www", "www/cgi-bin", "proc", "sys", "dev", "tmp", "run"]) {
    layer.entry({ name, type: "directory", mode: name === "tmp" ? 0o1777 : 0o755, mtime });
  }
  layer.entry({ name: "bin/busybox", mode: 0o755, mtime }, await readBusybox());
  for (const applet of APPLETS) {
    layer.entry({ name: `bin/${applet}`, type: "symlink", linkname: "busybox", mtime });
  }
  layer.entry(
    { name: "etc/passwd", mode: 0o644, mtime },
    "root:x:0:0:root:/:/bin/sh\nweb:x:1000:1000:web:/:/bin/sh\n",
  );
  layer.entry({ name: "etc/group", mode: 0o644, mtime }, "root:x:0:\nweb:x:1000:\n");
  // busybox httpd runs cgi-bin/index.cgi for "/" when there is no index.html.
  layer.entry({ name: "www/cgi-bin/index.cgi", mode: 0o755, mtime }, PAGE);
  layer.finalize();
  return collect(layer);
}

async function readBusybox(): Promise<Buffer> {
  for (const path of BUSYBOX_PATHS) {
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes !== undefined) return bytes;
  }
  throw new Error(`no busybox in ${BUSYBOX_PATHS.join(", ")}: install the package busybox-static`);
}

async function collect(stream: Pack): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
