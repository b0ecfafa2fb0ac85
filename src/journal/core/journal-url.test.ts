import { expect, test } from "vitest";
import { JournalUrlError, parseJournalUrl, redactedUrl, targetText } from "./journal-url.js";

test.each([
  {
    url: "redis://r1",
    target: { kind: "single", isTls: false, username: "", password: "", db: 0 },
    text: "redis r1:6379",
  },
  {
    url: "rediss://u:p%40ss@r1:7000/3",
    target: { kind: "single", isTls: true, username: "u", password: "p@ss", db: 3 },
    text: "redis r1:7000 (TLS)",
  },
  {
    url: "redis://:p:q@[fd00::1]:7000",
    target: { username: "", password: "p:q", hosts: [{ host: "fd00::1", port: 7000 }] },
    text: "redis fd00::1:7000",
  },
  {
    url: "redis-sentinel://:p@s1,s2:26380/mymaster/1",
    target: { kind: "sentinel", masterName: "mymaster", db: 1, password: "p" },
    text: "redis-sentinel s1:26379,s2:26380",
  },
  {
    url: "rediss-cluster://u:p@c1,c2:7001/",
    target: { kind: "cluster", isTls: true },
    text: "redis-cluster c1:6379,c2:7001 (TLS)",
  },
])("$url", ({ url, target, text }) => {
  const parsed = parseJournalUrl(url);
  expect(parsed).toMatchObject(target);
  expect(targetText(parsed)).toBe(text);
});

test.each([
  { url: "r1:6379", says: /must begin with redis:/ },
  { url: "redis://", says: /no host/ },
  { url: "redis://r1:0", says: /port 0/ },
  { url: "redis://r1:70000", says: /port 70000/ },
  { url: "redis://r1/x", says: /no number of a database/ },
  { url: "redis://r1/1/2", says: /DB at most/ },
  { url: "redis://a,b", says: /several hosts need/ },
  { url: "redis://user@r1", says: /needs a password/ },
  { url: "redis://:50%@r1", says: /%25/ },
  { url: "redis://r1?tls=1", says: /blanks, \? or #/ },
  { url: "redis-sentinel://s1", says: /NAME of the master/ },
  { url: "redis-cluster://c1/1", says: /no databases/ },
  { url: `redis://${"h".repeat(3000)}`, says: /longer than/ },
])("$url is refused with the remedy", ({ url, says }) => {
  expect(() => parseJournalUrl(url)).toThrow(JournalUrlError);
  expect(() => parseJournalUrl(url)).toThrow(says);
});

test.each([
  { url: "redis://r1", shown: "redis://r1" },
  { url: "redis://u:s3cret@r1/2", shown: "redis://u:***@r1/2" },
  { url: "rediss-sentinel://:s3@cret@s1,s2/m", shown: "rediss-sentinel://:***@s1,s2/m" },
  { url: "s3cret", shown: "***" },
  { url: "", shown: "" },
])("$url is shown as $shown", ({ url, shown }) => {
  expect(redactedUrl(url)).toBe(shown);
});
