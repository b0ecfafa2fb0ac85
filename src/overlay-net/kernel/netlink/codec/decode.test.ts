/** Answers of the kernel, made here from the parts that netlink is made of. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeAddress } from "./address.js";
import { decodeLink } from "./link.js";
import {
  ATTR_NESTED,
  attr,
  attrNumber,
  attrString,
  attrU8,
  attrU32,
  decodeAck,
  decodeAttrs,
  decodeMessages,
  encodeMessage,
  nest,
  u16,
  u32,
} from "./message.js";
import { decodeFdb, decodeNeighbour, isTransientNeighbour, RTM_NEWNEIGH } from "./neighbour.js";
import { decodeConnection, decodeGeneration, decodeTable, matchesFilter } from "./netfilter.js";
import { decodeRoute, decodeRule } from "./route.js";

const u8 = (value: number): Buffer => Buffer.from([value]);
const be16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const macBytes = Buffer.from("02420a010009", "hex");
const v4 = (text: string): Buffer => Buffer.from(text.split(".").map(Number));

test("attributes come back as they went in, whatever their sizes", () => {
  const attributes = fc.uniqueArray(
    fc.tuple(fc.integer({ min: 1, max: 0x3fff }), fc.uint8Array({ maxLength: 64 })),
    { selector: ([type]) => type },
  );
  fc.assert(
    fc.property(attributes, (entries) => {
      const bytes = Buffer.concat(entries.map(([type, payload]) => attr(type, payload)));
      const attrs = decodeAttrs(bytes);
      const decoded = entries.map(([type]) => [type, [...(attrs.get(type) ?? [])]]);
      expect(decoded).toEqual(entries.map(([type, payload]) => [type, [...payload]]));
      expect(entries.every(([type]) => attrs.has(type))).toBe(true);
      expect(attrs.has(0)).toBe(false);
    }),
  );
});

test.each([
  { size: 1, bytes: [7], value: 7 },
  { size: 2, bytes: [7, 1], value: 263 },
  { size: 4, bytes: [7, 1, 0, 1], value: 16_777_479 },
  { size: 0, bytes: [], value: 99 },
])("a number of $size bytes; of a type that is there twice the last", ({ bytes, value }) => {
  const attrs = decodeAttrs(Buffer.concat([attrU32(3, 5), attr(3, Buffer.from(bytes))]));
  expect(attrNumber(attrs, 3, 99)).toBe(value);
  expect(attrNumber(attrs, 4, 98)).toBe(98);
});

test("an attribute that says it is longer than what is left ends the list", () => {
  const bytes = Buffer.concat([attrU32(3, 5), attrU32(4, 6)]).subarray(0, 14);
  expect([decodeAttrs(bytes).has(3), decodeAttrs(bytes).has(4)]).toEqual([true, false]);
});

test("a datagram is cut into its messages; one that is cut off is an error", () => {
  const datagram = Buffer.concat([encodeMessage(16, 2, u32(7)), encodeMessage(3, 0, u32(0))]);
  expect(decodeMessages(datagram).map(({ type, flags }) => [type, flags])).toEqual([
    [16, 2],
    [3, 0],
  ]);
  expect(() => decodeMessages(datagram.subarray(0, 38))).toThrow(/netlink message of 20 bytes/);
});

test.each([
  { name: "acknowledged", flags: 0x100, body: [u32(0), Buffer.alloc(16)], errno: 0, text: "" },
  {
    name: "refused with a text, request capped",
    flags: 0x300,
    body: [u32(-17 >>> 0), Buffer.alloc(16), attrString(1, "VNI already exists")],
    errno: 17,
    text: "VNI already exists",
  },
  {
    name: "refused with a text, request echoed",
    flags: 0x200,
    body: [u32(-22 >>> 0), encodeMessage(16, 0, Buffer.alloc(16)), attrString(1, "bad")],
    errno: 22,
    text: "bad",
  },
])("$name", ({ flags, body, errno, text }) => {
  const [message] = decodeMessages(encodeMessage(2, flags, ...body));
  expect(message && decodeAck(message)).toEqual({ errno, text });
});

test("a VXLAN device that is an isolated port", () => {
  const payload = Buffer.concat([
    ...[Buffer.alloc(4), u32(12), u32(0x1043), u32(0)],
    ...[attrString(3, "vx1"), attrString(20, "swarm:n:x"), attr(1, macBytes)],
    ...[attrU32(4, 1450), attrU32(10, 5)],
    nest(
      18,
      attrString(1, "vxlan"),
      nest(2, attrU32(1, 4097), attr(15, be16(4789)), attr(4, v4("192.0.2.1"))),
      attrString(4, "bridge"),
      nest(5, attrU8(8, 0), attrU8(33, 1)),
    ),
  ]);
  expect(decodeLink(payload)).toEqual({
    index: 12,
    name: "vx1",
    kind: "vxlan",
    masterIndex: 5,
    link: {
      ...{ name: "vx1", alias: "swarm:n:x", mac: "02:42:0a:01:00:09", mtu: 1450, isUp: true },
      ...{ isIsolated: true, isLearning: false },
      vxlan: { vni: 4097, port: 4789, local: "192.0.2.1" },
    },
  });
});

test.each([
  { name: "global", header: [10, 64, 0, 0], isLinkLocal: false },
  { name: "link-local", header: [10, 64, 0, 253], isLinkLocal: true },
])("an address that is $name", ({ header, isLinkLocal }) => {
  const bytes = Buffer.from("fd000000000000000000000000000005", "hex");
  const payload = Buffer.concat([Buffer.from(header), u32(3), attr(1, bytes)]);
  expect(decodeAddress(payload)).toEqual({ linkIndex: 3, address: "fd00::5/64", isLinkLocal });
});

const route = (protocol: number, kind: number, table: number): Buffer =>
  Buffer.concat([
    Buffer.from([2, 16, 0, 0, 0, protocol, 0, kind, 0, 0, 0, 0]),
    ...[attr(1, v4("10.8.0.0")), attr(5, v4("10.1.0.1")), attrU32(4, 3), attrU32(15, table)],
  ]);
test.each([
  { name: "somebody's", payload: route(3, 1, 1000), isIn: true },
  { name: "made by the kernel", payload: route(2, 1, 254), isIn: false },
  { name: "from a router advertisement", payload: route(9, 1, 254), isIn: false },
  { name: "local", payload: route(3, 2, 254), isIn: false },
  { name: "in the local table", payload: route(3, 1, 255), isIn: false },
])("a route that is $name: in the model $isIn", ({ payload, isIn }) => {
  const expected = { family: 4, dst: "10.8.0.0/16", via: "10.1.0.1", linkIndex: 3, table: 1000 };
  expect(decodeRoute(payload)).toEqual(isIn ? expected : undefined);
});

const rule = (action: number, ...attrs: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([2, 0, 0, 0, 254, 0, 0, action, 0, 0, 0, 0]), ...attrs]);
test.each([
  {
    name: "mark and mask",
    payload: rule(1, attrU32(6, 9), attrU32(10, 0x1000), attrU32(16, 0xf000), attrU32(15, 1000)),
    expected: { family: 4, priority: 9, fwmark: 0x1000, mask: 0xf000, table: 1000 },
  },
  {
    name: "no mask is all bits",
    payload: rule(1, attrU32(6, 9), attrU32(10, 1)),
    expected: { family: 4, priority: 9, fwmark: 1, mask: 0xffffffff, table: 254 },
  },
  { name: "no mark", payload: rule(1, attrU32(6, 9)), expected: undefined },
  { name: "also for a source", payload: rule(1, attrU32(10, 1), attr(2, v4("10.0.0.0"))) },
  { name: "another action", payload: rule(6, attrU32(10, 1)), expected: undefined },
])("a rule: $name", ({ payload, expected }) => {
  expect(decodeRule(payload)).toEqual(expected);
});

const neigh = (family: number, state: number, flags: number, ...attrs: Buffer[]): Buffer =>
  Buffer.concat([
    ...[Buffer.from([family, 0, 0, 0]), u32(7), u16(state), Buffer.from([flags, 0])],
    ...attrs,
  ]);
const lladdr = attr(2, macBytes);
const mac = "02:42:0a:01:00:09";
test.each([
  {
    name: "VXLAN's own",
    payload: neigh(7, 0x80, 2, lladdr, attr(1, v4("192.0.2.9"))),
    dst: "192.0.2.9",
  },
  { name: "static on the bridge", payload: neigh(7, 0x40, 0, lladdr), dst: "" },
  { name: "learned", payload: neigh(7, 0x02, 0, lladdr), dst: undefined },
  { name: "the bridge's own address", payload: neigh(7, 0x80, 0, lladdr), dst: undefined },
  { name: "a device's own filter", payload: neigh(7, 0x80, 2, lladdr), dst: undefined },
  { name: "of a VLAN", payload: neigh(7, 0x40, 0, lladdr, attr(5, u16(1))), dst: undefined },
])("an FDB entry that is $name", ({ payload, dst }) => {
  expect(decodeFdb(payload)).toEqual(dst === undefined ? undefined : { linkIndex: 7, mac, dst });
});

test.each([
  { name: "permanent", state: 0x80, isIn: true },
  { name: "reachable", state: 0x02, isIn: false },
  { name: "failed", state: 0x20, isIn: false },
])(
  "a neighbour that is $name: in the model $isIn, its news transient otherwise",
  ({ state, isIn }) => {
    const payload = neigh(2, state, 0, attr(1, v4("10.1.0.9")), lladdr);
    const expected = { linkIndex: 7, address: "10.1.0.9", mac };
    expect(decodeNeighbour(payload)).toEqual(isIn ? expected : undefined);
    expect(isTransientNeighbour(RTM_NEWNEIGH, payload)).toBe(!isIn);
  },
);

test.each([
  { name: "of both directions", top: [attr(18, be16(7))], inside: [] },
  { name: "of the original direction", top: [], inside: [attr(3, be16(7))] },
])("a connection in a zone $name is matched and named for its end", ({ top, inside }) => {
  const tuple = [
    nest(1, attr(1, v4("10.1.0.5")), attr(2, v4("10.1.0.100"))),
    nest(2, attrU8(1, 6), attr(2, be16(40_000)), attr(3, be16(80))),
    ...inside,
  ];
  const original = nest(1, ...tuple);
  const reply = nest(2, nest(1, attr(1, v4("10.1.0.9")), attr(2, v4("10.1.0.5"))));
  const id = attrU32(12, 99);
  const connection = decodeConnection(
    Buffer.concat([Buffer.from([2, 0, 0, 0]), original, reply, id, ...top]),
  );
  expect(connection).toMatchObject({
    ...{ family: 2, protocol: "tcp", originalDst: "10.1.0.100", originalDstPort: 80 },
    ...{ replySrc: "10.1.0.9", zone: 7 },
  });
  expect(Buffer.concat(connection.key).toString("hex")).toBe(
    Buffer.concat([reply, ...top, id]).toString("hex"),
  );
  expect(matchesFilter(connection, {})).toBe(true);
  expect(matchesFilter(connection, { protocol: "tcp", originalDstPort: 80, zone: 7 })).toBe(true);
  for (const other of [
    { protocol: "udp" } as const,
    { originalDst: "10.1.0.9" },
    { originalDstPort: 81 },
    { replySrc: "10.1.0.5" },
    { zone: 0 },
  ])
    expect(matchesFilter(connection, other)).toBe(false);
});

test.each([
  { name: "TCP that was only asked for", state: [nest(4, nest(1, attr(1, u8(1))))], isOpen: false },
  { name: "TCP answered", state: [nest(4, nest(1, attr(1, u8(2))))], isOpen: true },
  { name: "TCP established", state: [nest(4, nest(1, attr(1, u8(3))))], isOpen: true },
  { name: "TCP closed by one side", state: [nest(4, nest(1, attr(1, u8(5))))], isOpen: true },
  { name: "TCP closed by both", state: [nest(4, nest(1, attr(1, u8(7))))], isOpen: false },
  { name: "SCTP established", state: [nest(4, nest(3, attr(1, u8(4))))], isOpen: true },
  { name: "SCTP shut down", state: [nest(4, nest(3, attr(1, u8(7))))], isOpen: false },
  { name: "datagrams", state: [], isOpen: false },
])("whether a connection is open: $name", ({ state, isOpen }) => {
  const connection = decodeConnection(Buffer.concat([Buffer.from([2, 0, 0, 0]), ...state]));
  expect(connection.isOpen).toBe(isOpen);
});

test.each([
  { name: "with a comment", data: Buffer.from([0, 4, 97, 98, 99, 0]), comment: "abc" },
  { name: "with another TLV first", data: Buffer.from([9, 1, 5, 0, 2, 97, 0]), comment: "a" },
  { name: "without user data", data: undefined, comment: "" },
])("a table $name", ({ data, comment }) => {
  const handle = "0000000000000103";
  const attrs = [
    attrString(1, "swarm_x"),
    attr(4, Buffer.from(handle, "hex")),
    ...(data === undefined ? [] : [attr(6, data)]),
  ];
  const payload = Buffer.concat([Buffer.from([1, 0, 0, 0]), ...attrs]);
  expect(decodeTable(payload)).toEqual({ family: "inet", name: "swarm_x", comment, handle });
});

test("a table of a family outside of the model is left out; the generation is in network order", () => {
  expect(
    decodeTable(Buffer.concat([Buffer.from([7, 0, 0, 0]), attrString(1, "b")])),
  ).toBeUndefined();
  const payload = Buffer.concat([Buffer.alloc(4), attr(1, Buffer.from([0, 0, 1, 2]))]);
  expect(decodeGeneration(payload)).toBe(258);
});

test("the flag of nested attributes is not part of the type", () => {
  expect(decodeAttrs(attr(5 | ATTR_NESTED, Buffer.alloc(0))).has(5)).toBe(true);
});
