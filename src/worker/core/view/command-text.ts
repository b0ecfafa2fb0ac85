/** A command line as `docker ps` shows it: words with blanks in quotes. */
export function commandText(words: readonly string[]): string {
  return words.map((word) => (word.includes(" ") ? `'${word}'` : word)).join(" ");
}
