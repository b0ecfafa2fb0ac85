import { expect, test } from "vitest";
import { GROWTH_BYTES, HEAP_MAX_BYTES, HeapKeeper, IDLE_SHARE, REST_LOOKS } from "./heap-keeper.js";

/** A heap of which `live` is needed and the rest is garbage. */
function heap(live: number) {
  const state = { live, used: live, busy: 0, collections: 0 };
  const keeper = new HeapKeeper({
    usedBytes: () => state.used,
    busyShare: () => state.busy,
    collect: () => {
      state.collections++;
      state.used = state.live;
    },
  });
  const looks = (count: number) => {
    for (let i = 0; i < count; i++) keeper.look();
  };
  return { state, keeper, looks };
}

test("garbage is collected once there is enough of it, and what is kept is not taken for garbage again", () => {
  const { state, keeper, looks } = heap(3 * GROWTH_BYTES);
  keeper.look();
  expect(state.collections).toBe(1);
  state.used += GROWTH_BYTES - 1;
  looks(2 * REST_LOOKS);
  expect(state.collections).toBe(1);
  state.used += 1;
  keeper.look();
  expect(state).toMatchObject({ collections: 2, used: state.live });
});

test("after V8 collected by itself it counts from there", () => {
  const { state, keeper, looks } = heap(3 * GROWTH_BYTES);
  looks(REST_LOOKS);
  state.live = state.used = GROWTH_BYTES;
  keeper.look();
  state.used += GROWTH_BYTES;
  keeper.look();
  expect(state.collections).toBe(2);
});

test("a large heap is left alone", () => {
  const { state, keeper } = heap(HEAP_MAX_BYTES + 1);
  keeper.look();
  expect(state.collections).toBe(0);
});

test("while something goes on nothing is collected; after it, what it left is", () => {
  const { state, keeper, looks } = heap(GROWTH_BYTES);
  keeper.look();
  state.used += 2 * GROWTH_BYTES;
  state.busy = IDLE_SHARE;
  looks(2 * REST_LOOKS);
  expect(state.collections).toBe(1);
  state.busy = IDLE_SHARE / 2;
  keeper.look();
  expect(state).toMatchObject({ collections: 2, used: state.live });
});

test("two collections are some looks apart", () => {
  const { state, looks } = heap(GROWTH_BYTES);
  looks(1);
  state.used += GROWTH_BYTES;
  looks(REST_LOOKS - 1);
  expect(state.collections).toBe(1);
  looks(1);
  expect(state.collections).toBe(2);
});
