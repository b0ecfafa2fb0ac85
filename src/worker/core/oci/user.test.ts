import { describe, expect, test } from "vitest";
import { resolveUser } from "./user.js";

const PASSWD = [
  "root:x:0:0:root:/root:/bin/sh",
  "# a comment",
  "web:x:1000:1001::/home/web:/bin/sh",
  "broken line",
  "1234:x:77:78::/:/bin/sh",
].join("\n");
const GROUP = ["root:x:0:root", "web:x:1001:", "extra:x:1002:web,root", "ops:x:2000:"].join("\n");

describe("resolveUser", () => {
  test.each([
    { name: "empty is root with root's groups", user: "", groups: [], want: [0, 0, [0, 1002]] },
    { name: "a name", user: "web", groups: [], want: [1000, 1001, [1001, 1002]] },
    { name: "a known number", user: "1000", groups: [], want: [1000, 1001, [1001, 1002]] },
    { name: "an unknown number", user: "555", groups: [], want: [555, 0, [0]] },
    { name: "an explicit group", user: "web:ops", groups: [], want: [1000, 2000, [2000]] },
    { name: "numbers for both", user: "5:6", groups: [], want: [5, 6, [6]] },
    {
      name: "further groups",
      user: "web",
      groups: ["ops", "9"],
      want: [1000, 1001, [1001, 1002, 2000, 9]],
    },
    { name: "digits are a uid, not a name", user: "1234", groups: [], want: [1234, 0, [0]] },
    { name: "a group twice", user: "web", groups: ["extra"], want: [1000, 1001, [1001, 1002]] },
  ])("$name", ({ user, groups, want }) => {
    const [uid, gid, additionalGids] = want;
    expect(resolveUser(user, groups, PASSWD, GROUP)).toEqual({ uid, gid, additionalGids });
  });

  test.each([
    { name: "an unknown name", user: "nobody", groups: [], text: "unable to find user nobody" },
    { name: "an unknown group", user: "web:none", groups: [], text: "unable to find group none" },
    { name: "an unknown further group", user: "", groups: ["none"], text: "unable to find group" },
    { name: "a number out of range", user: "4294967296", groups: [], text: "range 0-2147483647" },
    { name: "a negative number", user: "-1", groups: [], text: "range 0-2147483647" },
  ])("refuses $name", ({ user, groups, text }) => {
    expect(() => resolveUser(user, groups, PASSWD, GROUP)).toThrow(text);
  });

  test("an image without account files runs numbers", () => {
    expect(resolveUser("7:8", [], "", "")).toEqual({ uid: 7, gid: 8, additionalGids: [8] });
    expect(resolveUser("", [], "", "")).toEqual({ uid: 0, gid: 0, additionalGids: [0] });
  });
});
