import { setFlagsFromString } from 'node:v8';

/**
 * V8 lets a heap grow to up to four times of what it last found alive before it looks again. A process that holds thousands of silent streams would keep
 * hundreds of megabytes of garbage that way, since silence makes no more of it; so here it looks again when there is this much more, in per cent.
 */
const HEAP_GROWTH_PERCENT = 15;

setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
