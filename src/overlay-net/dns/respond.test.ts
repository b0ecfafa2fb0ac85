import packet from "dns-packet";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../../base/index.js";
import { dnsView } from "../core/dns-answer.js";
import { DnsTables } from "../core/dns-table.js";
import { endpoint, network, service, state } from "../core/testing/dns-states.js";
import { respond, type Transport } from "./respond.js";
import { question, read } from "./testing/queries.js";
import { parseQuery } from "./wire.js";

const MANY = 3_000;
const http = { protocol: "tcp", publishedPort: 8080, targetPort: 80, name: "http" } as const;

const tables = new DnsTables();
tables.update(
  state({
    networks: [network({ id: "n", name: "net", subnet: "10.0.0.0/16", subnet6: "fd00::/64" })],
    services: [
      service({
        serviceId: "web",
        networkId: "n",
        vip: "10.0.0.2",
        vip6: "fd00::2",
        ports: [http],
      }),
      service({ serviceId: "many", networkId: "n", mode: "dnsrr", ports: [http] }),
    ],
    endpoints: [
      endpoint("n", "web.1.a", "10.0.0.3", { serviceId: "web", address6: "fd00::3" }),
      ...Array.from({ length: MANY }, (_, i) =>
        endpoint("n", `many.${i}.b`, `10.0.${16 + (i >> 8)}.${i & 255}`, { serviceId: "many" }),
      ),
    ],
  }),
);
const view = dnsView(tables, ["n"]);

function ask(message: Buffer, transport: Transport = "udp", seed = 1) {
  return respond(message, transport, view, new SeededRandom(seed));
}

function answer(message: Buffer, transport: Transport = "udp", seed = 1) {
  const outcome = ask(message, transport, seed);
  if (outcome.kind !== "answer" && outcome.kind !== "malformed") throw new Error(outcome.kind);
  return { ...read(outcome.bytes), length: outcome.bytes.length };
}

describe("answers as another program reads them", () => {
  test.each([
    { name: "web", type: "A", rcode: "NOERROR", data: ["10.0.0.2"] },
    { name: "web", type: "AAAA", rcode: "NOERROR", data: ["fd00::2"] },
    { name: "WEB.", type: "A", rcode: "NOERROR", data: ["10.0.0.2"] },
    { name: "2.0.0.10.in-addr.arpa", type: "PTR", rcode: "NOERROR", data: ["web.net"] },
    { name: "9.0.0.10.in-addr.arpa", type: "PTR", rcode: "NXDOMAIN", data: [] },
    { name: "web", type: "MX", rcode: "NOERROR", data: [] },
    { name: "web", type: "ANY", rcode: "NOERROR", data: ["10.0.0.2", "fd00::2"] },
  ] as const)("$name $type", ({ name, type, rcode, data }) => {
    const got = answer(question(name, type === "ANY" ? "A" : type, any(name, type)));
    expect([got.rcode, [...got.data].sort()]).toEqual([rcode, [...data].sort()]);
    expect(got).toMatchObject({
      id: 4711,
      flag_aa: true,
      flag_rd: true,
      flag_ra: true,
      flag_tc: false,
    });
    for (const record of got.answers ?? []) {
      expect("ttl" in record ? record.ttl : undefined).toBeLessThanOrEqual(5);
    }
  });

  function any(name: string, type: string) {
    // The library's types know ANY as a class only; on the wire it is a type too.
    return type === "ANY" ? { questions: [{ name, type: "ANY" as "A" }] } : {};
  }

  test("the question comes back in the letters it was asked in", () => {
    expect(answer(question("wEb", "A")).questions?.[0]?.name).toBe("wEb");
  });

  test("SRV names the task, and its addresses ride along", () => {
    const got = answer(question("_http._tcp.web", "SRV", { udpBytes: 1232 }));
    expect(got.data).toEqual([{ priority: 0, weight: 0, port: 80, target: "web.1.a.net" }]);
    expect(
      got.additionals?.map((record) => ("data" in record ? record.data : record.type)),
    ).toEqual(["10.0.0.3", "fd00::3", "OPT"]);
  });
});

describe("sizes", () => {
  test.each([
    { name: "without EDNS", message: question("many"), limit: 512, count: 30 },
    {
      name: "with EDNS",
      message: question("many", "A", { udpBytes: 1232 }),
      limit: 1232,
      count: 74,
    },
    {
      name: "EDNS below the minimum",
      message: question("many", "A", { udpBytes: 100 }),
      limit: 512,
      count: 29,
    },
    {
      name: "EDNS above ours",
      message: question("many", "A", { udpBytes: 65_000 }),
      limit: 4096,
      count: 253,
    },
  ])(
    "UDP $name: whole records up to the limit, and word that there are more",
    ({ message, limit, count }) => {
      const got = answer(message);
      expect(got.length).toBeLessThanOrEqual(limit);
      expect([got.flag_tc, got.answers?.length]).toEqual([true, count]);
    },
  );

  test("over TCP the answer is complete", () => {
    const got = answer(question("many"), "tcp");
    expect([got.flag_tc, new Set(got.data).size]).toEqual([false, MANY]);
  });

  test("the order changes from answer to answer", () => {
    const first = answer(question("many"), "udp", 1).data;
    expect(answer(question("many"), "udp", 2).data).not.toEqual(first);
  });

  test.each([
    { transport: "udp", limit: 512, isCut: true },
    { transport: "tcp", limit: 65_535, isCut: false },
  ] as const)("SRV over $transport keeps to its limit", ({ transport, limit, isCut }) => {
    const got = answer(question("_http._tcp.many", "SRV"), transport);
    expect(got.length).toBeLessThanOrEqual(limit);
    expect(got.data.length).toBeGreaterThan(0);
    expect(got.flag_tc).toBe(isCut);
  });
});

describe("what is not a plain question", () => {
  const web = question("web");
  const edited = (edit: (message: Buffer) => void): Buffer => {
    const copy = Buffer.from(web);
    edit(copy);
    return copy;
  };
  test.each([
    { name: "two questions", message: edited((m) => m.writeUInt16BE(2, 4)), rcode: "FORMERR" },
    { name: "no question", message: edited((m) => m.writeUInt16BE(0, 4)), rcode: "FORMERR" },
    {
      name: "a name that points to itself",
      message: edited((m) => m.writeUInt16BE(0xc00c, 12)),
      rcode: "FORMERR",
    },
    {
      name: "a record that is not there",
      message: edited((m) => m.writeUInt16BE(1, 10)),
      rcode: "FORMERR",
    },
    { name: "an update", message: edited((m) => m.writeUInt16BE(5 << 11, 2)), rcode: "NOTIMP" },
    {
      name: "class CHAOS",
      message: question("version.bind", "TXT", {
        questions: [{ name: "version.bind", type: "TXT", class: "CH" }],
      }),
      rcode: "REFUSED",
    },
    { name: "cut in the question", message: web.subarray(0, 14), rcode: "FORMERR" },
  ])("$name", ({ message, rcode }) => {
    expect(answer(message)).toMatchObject({ id: 4711, rcode });
  });

  test("EDNS of a version to come", () => {
    const message = question("web", "A", { udpBytes: 512 });
    message[message.length - 5] = 1;
    const got = answer(message);
    expect(got.rcode).toBe("NOERROR");
    expect(got.additionals?.[0]).toMatchObject({ type: "OPT", extendedRcode: 1, ednsVersion: 0 });
  });

  test.each([
    { name: "a response", message: edited((m) => m.writeUInt16BE(0x8180, 2)) },
    { name: "less than a header", message: web.subarray(0, 11) },
    { name: "nothing", message: Buffer.alloc(0) },
  ])("$name is ignored", ({ message }) => {
    expect(ask(message).kind).toBe("ignore");
  });

  test("a dot inside a label is not a dot between labels", () => {
    const message = question("webxnet");
    message[16] = 0x2e;
    expect(ask(message)).toMatchObject({ kind: "forward", query: { name: "web\\046net" } });
  });
});

describe("any bytes", () => {
  test("get an answer that can be read, or none", () => {
    const header = fc.tuple(fc.constantFrom(0, 0x0100, 0x8000, 0x2800), fc.nat(2), fc.nat(3));
    const bytes = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(header, bytes, fc.boolean(), ([flags, questions, extra], tail, isRaw) => {
        const head = Buffer.alloc(12);
        head.writeUInt16BE(flags, 2);
        head.writeUInt16BE(questions, 4);
        head.writeUInt16BE(extra, 10);
        const outcome = ask(isRaw ? Buffer.from(tail) : Buffer.concat([head, tail]));
        if ("bytes" in outcome) expect(read(outcome.bytes).flag_qr).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("put into a good question get an answer that can be read, or none", () => {
    const change = fc.tuple(fc.nat(60), fc.nat(255));
    const asked = fc.constantFrom(
      question("web", "A", { udpBytes: 1232 }),
      question("_http._tcp.web", "SRV"),
      question("2.0.0.10.in-addr.arpa", "PTR"),
    );
    fc.assert(
      fc.property(
        asked,
        fc.array(change, { maxLength: 4 }),
        fc.nat(70),
        (good, changes, length) => {
          const message = Buffer.from(good).subarray(0, Math.max(20, length));
          for (const [at, byte] of changes) if (at < message.length) message[at] = byte;
          const outcome = ask(message);
          if ("bytes" in outcome) expect(read(outcome.bytes).flag_qr).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("of a name are read as a library reads them", () => {
    const label = fc.string({
      unit: fc.constantFrom(..."abcXYZ019-_"),
      minLength: 1,
      maxLength: 63,
    });
    const names = fc
      .array(label, { minLength: 1, maxLength: 8 })
      .map((labels) => labels.join("."))
      .filter((name) => name.length <= 253);
    fc.assert(
      fc.property(names, fc.option(fc.integer({ min: 1, max: 65_535 })), (name, udpBytes) => {
        const fields = udpBytes === null ? {} : { udpBytes };
        const parsed = parseQuery(question(name, "AAAA", fields));
        const want = packet.decode(question(name, "AAAA")).questions?.[0]?.name.toLowerCase();
        expect(parsed).toMatchObject({
          kind: "query",
          query: {
            name: want,
            type: 28,
            class: 1,
            edns: udpBytes === null ? undefined : { udpBytes },
          },
        });
      }),
      { numRuns: 200 },
    );
  });
});
