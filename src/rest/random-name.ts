/** Names for services that were created without one: `adjective_surname`, as the Engine makes them. */
import type { Random } from "../base/index.js";

const ADJECTIVES = (
  "amber brisk calm clever cosmic daring eager early fair fervent gentle gifted happy humble jolly keen kind lively lucid " +
  "mellow modest nimble patient placid proud quiet rapid serene steady swift upbeat vivid warm witty zealous"
).split(" ");
const SURNAMES = (
  "babbage bell boole cerf curie darwin dijkstra engelbart euler faraday fermat franklin gauss hamilton hopper hypatia kepler " +
  "knuth lamport lamarr lovelace maxwell meitner mendel newton noether ongaro pascal perlman planck ritchie shannon thompson turing wiles"
).split(" ");

export function randomName(random: Random): string {
  const pick = (words: readonly string[]): string =>
    words[Math.floor(random.float() * words.length)] ?? "";
  return `${pick(ADJECTIVES)}_${pick(SURNAMES)}`;
}
