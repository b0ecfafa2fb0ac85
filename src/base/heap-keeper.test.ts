import { expect, test } from "vitest";
import { GROWTH_BYTES, HEAP_MAX_BYTES, HeapKeeper } from "./heap-keeper.js";

/** A heap of which `live` is needed and the rest is garbage. */
function heap(live: number) {
  const state = { live, used: live, collections: 0 };
  const keeper = new HeapKeeper({
    usedBytes: () => state.used,
    collect: () => {
      state.collections++;
      state.used = state.live;
    },
  });
  return { state, keeper };
}

test("garbage is collected once there is enough of it, and what is kept is not taken for garbage again", () => {
  const { state, keeper } = heap(3 * GROWTH_BYTES);
  keeper.look();
  expect(state.collections).toBe(1);
  keeper.look();
  state.used += GROWTH_BYTES - 1;
  keeper.look();
  expect(state.collections).toBe(1);
  state.used += 1;
  keeper.look();
  expect(state).toMatchObject({ collections: 2, used: state.live });
});

test("after V8 collected by itself it counts from there", () => {
  const { state, keeper } = heap(3 * GROWTH_BYTES);
  keeper.look();
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
