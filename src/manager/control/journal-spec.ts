/** The cluster's journal setting: checked as a whole, with its password kept where a client only saw a mark. */
import type { JournalSpec } from "../../api/index.js";
import {
  JournalUrlError,
  PASSWORD_MARK,
  parseJournalUrl,
  redactedUrl,
} from "../../journal/index.js";
import { invalid } from "./invalid.js";

/** Entries of the stream: fewer would not reach back to yesterday, more would not fit any Redis. */
const ENTRIES_MIN = 1000;
const ENTRIES_MAX = 10_000_000;
const CA_LENGTH_MAX = 64 * 1024;

/** Absent: as before. Without URL: no Redis any more. Throws ApiError. */
export function validateJournal(
  given: Partial<JournalSpec> | undefined,
  old: JournalSpec | undefined,
): JournalSpec | undefined {
  if (given === undefined) return old;
  const { URL: url = "", MaxEntries: maxEntries, CACert: caCert } = given;
  if (url === "") {
    if (maxEntries !== undefined || caCert !== undefined)
      throw invalid("Journal.URL is missing: MaxEntries and CACert belong to a Redis");
    return undefined;
  }
  if (maxEntries !== undefined && (maxEntries < ENTRIES_MIN || maxEntries > ENTRIES_MAX))
    throw invalid(
      `Journal.MaxEntries must be within ${ENTRIES_MIN}–${ENTRIES_MAX}, not ${maxEntries}`,
    );
  // Inspect shows the URL without its password, and what was shown may come back.
  const isShown = old !== undefined && url === redactedUrl(old.URL);
  const full = isShown ? old.URL : url;
  checkTarget(full, caCert);
  return {
    URL: full,
    ...(maxEntries !== undefined && { MaxEntries: maxEntries }),
    ...(caCert !== undefined && { CACert: caCert }),
  };
}

function checkTarget(url: string, caCert: string | undefined): void {
  const { isTls, password } = parsed(url);
  if (password === PASSWORD_MARK)
    throw invalid(
      `Journal.URL has the mark ${PASSWORD_MARK} in place of its password: give the password`,
    );
  if (caCert === undefined) return;
  if (!isTls) throw invalid("Journal.CACert needs a URL with TLS: rediss://…");
  if (
    caCert.length > CA_LENGTH_MAX ||
    !/-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.test(caCert)
  )
    throw invalid(
      `Journal.CACert must be certificates in PEM, at most ${CA_LENGTH_MAX} characters`,
    );
}

function parsed(url: string): ReturnType<typeof parseJournalUrl> {
  try {
    return parseJournalUrl(url);
  } catch (error) {
    if (error instanceof JournalUrlError) throw invalid(`Journal.URL: ${error.message}`);
    throw error;
  }
}
