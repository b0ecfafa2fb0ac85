import { expect, test } from "vitest";
import { isTaken } from "./socket-table.js";

const HEAD =
  "  sl  local_address                         remote_address                        st tx_queue";
const line = (local: string, state: string) =>
  `   0: ${local} ${"0".repeat(32)}:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 1 1`;
const ANY6 = "0".repeat(32);
/** fd25::b as the kernel writes it. */
const OWN6 = "000025FD00000000000000000B000000";

test.each([
  { name: "listens on all addresses", local: `${ANY6}:0050`, state: "0A", taken: true },
  { name: "listens on its address", local: `${OWN6}:0050`, state: "0A", taken: true },
  { name: "takes datagrams", local: `${ANY6}:0050`, state: "07", taken: true },
  {
    name: "listens on loopback alone",
    local: "00000000000000000000000001000000:0050",
    state: "0A",
    taken: false,
  },
  { name: "listens on another port", local: `${ANY6}:0051`, state: "0A", taken: false },
  { name: "is connected", local: `${OWN6}:0050`, state: "01", taken: false },
])("a socket that $name takes what comes to [fd25::b]:80: $taken", ({ local, state, taken }) => {
  expect(isTaken(`${HEAD}\n${line(local, state)}\n`, "fd25::b", 80)).toBe(taken);
});

test("IPv4 sockets likewise", () => {
  expect(isTaken(`${HEAD}\n   0: 0B00FF0A:1F90 00000000:0000 0A\n`, "10.255.0.11", 8080)).toBe(
    true,
  );
  expect(isTaken(`${HEAD}\n   0: 00000000:1F90 00000000:0000 0A\n`, "10.255.0.11", 8080)).toBe(
    true,
  );
  expect(isTaken(`${HEAD}\n   0: 0100007F:1F90 00000000:0000 0A\n`, "10.255.0.11", 8080)).toBe(
    false,
  );
  expect(isTaken("", "10.255.0.11", 8080)).toBe(false);
});
