import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Foreign, NftContextPointer } from "./ffi.js";
import { Handles } from "./handles.js";
import type { Namespaces } from "./namespaces.js";

/** Counts contexts and trims; sockets are numbers. */
class FakeLibraries {
  openContexts = 0;
  lowestFree = 30;
  trims = 0;
  #lastFd = 100;

  readonly foreign = {
    libc: {
      errno: () => 0,
      socket: () => ++this.#lastFd,
      setsockopt: () => 0,
      bind: () => 0,
      close: () => 0,
      duplicateFrom: (fd: number) => fd + 1000,
      trimMemory: () => {
        this.trims++;
      },
    },
    nftables: {
      contextNew: () => {
        this.openContexts++;
        return {} as NftContextPointer;
      },
      contextFree: () => {
        this.openContexts--;
      },
      bufferOutput: () => 0,
      bufferError: () => 0,
      run: () => 0,
      errorText: () => "",
    },
    poll: () => ({ close: () => undefined }),
    lowestFree: () => this.lowestFree,
  } as unknown as Foreign;

  readonly handles = new Handles(this.foreign, {
    identity: (netns: string) => netns,
    inside: <T>(_netns: string, run: () => T) => run(),
  } as unknown as Namespaces);

  runIn(...names: readonly string[]): void {
    for (const netns of names) expect(this.handles.get(netns).runNft("")).toBe(undefined);
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

function namesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `netns${i}`);
}

test("nft contexts that nobody uses any more are freed after five seconds, and their memory given back", () => {
  const libraries = new FakeLibraries();
  libraries.runIn(...namesOf(100));
  vi.advanceTimersByTime(4_900);
  expect(libraries).toMatchObject({ openContexts: 100, trims: 0 });
  vi.advanceTimersByTime(100);
  expect(libraries).toMatchObject({ openContexts: 68, trims: 0 });
  vi.advanceTimersByTime(1_000);
  expect(libraries).toMatchObject({ openContexts: 0, trims: 1 });
  expect(vi.getTimerCount()).toBe(0);
});

test("one that is in use stays, until it is not", () => {
  const libraries = new FakeLibraries();
  libraries.runIn("a", "b");
  for (let sec = 0; sec < 12; sec++) {
    vi.advanceTimersByTime(1_000);
    libraries.runIn("a");
  }
  expect(libraries.openContexts).toBe(1);
  vi.advanceTimersByTime(10_000);
  expect(libraries.openContexts).toBe(0);
});

test("a closed namespace takes its context with it, and the last one the timer", () => {
  const libraries = new FakeLibraries();
  libraries.runIn("a", "b");
  libraries.handles.close("a");
  expect(libraries.openContexts).toBe(1);
  libraries.handles.closeAll();
  expect(libraries.openContexts).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test("memory of namespaces that were closed is given back too", () => {
  const libraries = new FakeLibraries();
  libraries.runIn(...namesOf(40));
  for (const netns of namesOf(40)) libraries.handles.close(netns);
  expect(libraries).toMatchObject({ openContexts: 0, trims: 0 });
  vi.advanceTimersByTime(6_000);
  expect(libraries.trims).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});

test("without a low descriptor a context is refused, and those that are open go on", () => {
  const libraries = new FakeLibraries();
  libraries.runIn("a");
  libraries.lowestFree = 1000;
  expect(() => libraries.handles.get("b").runNft("")).toThrow(/descriptor 1000 .* below 1000/);
  libraries.runIn("a");
  libraries.lowestFree = 999;
  libraries.runIn("b");
});
