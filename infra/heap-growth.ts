import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/**
 * V8 lets a heap grow to up to four times of what it last found alive before it looks through all of it again. A process that holds thousands
 * of silent streams would keep hundreds of megabytes of garbage that way, since silence makes no more of it; so here it looks again when
 * there is this much more, in per cent.
 */
const LARGE_HEAP_GROWTH_PERCENT = 15;

/**
 * That alone would be 8 MB for the 50 that are alive in a server of plain calls: it would look through all 50 with every five hundred calls, on
 * its main thread and on others that no profile of it shows. So a small heap may grow by this much, and looks four to seven times less often.
 */
const SMALL_HEAP_GROWTH_BYTES = 40 * 1024 * 1024;

/** How much a heap that has this much in it may grow. */
export const heapGrowthPercent = (usedBytes: number): number =>
  Math.max(LARGE_HEAP_GROWTH_PERCENT, Math.round((100 * SMALL_HEAP_GROWTH_BYTES) / usedBytes));

/** Streams come in slower than they could outgrow the last answer meanwhile. */
const LOOK_EVERY_MS = 500;

const setHeapGrowth = (): void => {
  // V8 reads it when it has looked, and decides by it when to look next.
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent(getHeapStatistics().used_heap_size)}`);
};

/** Sees to it, for as long as the process lives, that V8 looks for garbage as often as fits the size of its heap. */
export const tendHeapGrowth = (): void => {
  setHeapGrowth();
  setInterval(setHeapGrowth, LOOK_EVERY_MS).unref();
};
