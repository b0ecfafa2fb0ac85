/** A docker-archive with one big layer, made while it is read: nothing of it is kept. */
import { createHash, randomBytes } from "node:crypto";

const BLOCK_BYTES = 512;
const CHUNK_BYTES = 256 * 1024;

/** `fileBytes`: size of the one file in the layer, a multiple of 256 KiB. */
export async function* bigImage(name: string, fileBytes: number): AsyncIterable<Uint8Array> {
  // The same noise again and again: cheap to make, and no file system stores it as a hole.
  const noise = randomBytes(CHUNK_BYTES);
  const diffId = createHash("sha256");
  for (const chunk of layer(noise, fileBytes)) {
    diffId.update(chunk);
    await nextTurn();
  }
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === "arm64" ? "arm64" : "amd64",
      os: "linux",
      config: { Cmd: ["/big"] },
      rootfs: { type: "layers", diff_ids: [`sha256:${diffId.digest("hex")}`] },
    }),
  );
  const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
  yield entry(configName, config);
  yield header("layer.tar", layerBytes(fileBytes));
  for (const chunk of layer(noise, fileBytes)) {
    yield chunk;
    await nextTurn();
  }
  const manifest = [{ Config: configName, RepoTags: [name], Layers: ["layer.tar"] }];
  yield entry("manifest.json", Buffer.from(JSON.stringify(manifest)));
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

function layerBytes(fileBytes: number): number {
  return BLOCK_BYTES + fileBytes + 2 * BLOCK_BYTES;
}

function* layer(noise: Buffer, fileBytes: number): Iterable<Buffer> {
  yield header("big", fileBytes);
  for (let at = 0; at < fileBytes; at += CHUNK_BYTES) yield noise;
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

function entry(name: string, content: Buffer): Buffer {
  const padding = Buffer.alloc(-content.length & (BLOCK_BYTES - 1));
  return Buffer.concat([header(name, content.length), content, padding]);
}

/** POSIX.1-1988 ustar header of a plain file. */
function header(name: string, sizeBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(name, 0, 100);
  block.write("0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write(`${sizeBytes.toString(8).padStart(11, "0")}\0`, 124);
  block.write("00000000000\0", 136);
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\u000000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
