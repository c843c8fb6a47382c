import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue';
import { requestTailAddress, type RequestRow } from '../../api/requests.ts';
import { openTail, type Tail, type TailState } from '../../lib/tail.ts';
import { merge, NO_LIVE_ROWS, receive, reveal } from './live-rows.ts';

type TailFilter = Parameters<typeof requestTailAddress>[0];

export interface Live {
  readonly state: Ref<TailState>;
  readonly rows: ComputedRef<readonly RequestRow[]>;
  readonly waiting: ComputedRef<number>;
  readonly show: () => void;
}

/** Live tail over the pages: on while `on` says so, begun anew when the filter changes, taken in once per frame. */
export const useLive = (
  on: ComputedRef<boolean>,
  filter: ComputedRef<TailFilter>,
  wanted: (row: RequestRow) => boolean,
  paged: ComputedRef<readonly RequestRow[]>,
): Live => {
  const live = shallowRef(NO_LIVE_ROWS);
  const state = ref<TailState>('closed');
  let tail: Tail | null = null;
  let batch: RequestRow[] = [];
  let frame = 0;
  const take = (): void => {
    frame = 0;
    live.value = receive(live.value, batch, new Set(paged.value.map((row) => row.requestId)));
    batch = [];
  };
  const stop = (): void => {
    tail?.close();
    tail = null;
    cancelAnimationFrame(frame);
    frame = 0;
    batch = [];
    state.value = 'closed';
  };
  watch(
    [on, () => JSON.stringify(filter.value)],
    ([now]) => {
      stop();
      live.value = NO_LIVE_ROWS;
      if (!now) return;
      tail = openTail<RequestRow>(requestTailAddress(filter.value), 'request', {
        row: (row) => {
          if (!wanted(row)) return;
          batch.push(row);
          frame ||= requestAnimationFrame(take);
        },
        state: (next) => (state.value = next),
      });
    },
    { immediate: true },
  );
  onScopeDispose(stop);
  return {
    state,
    rows: computed(() => merge(live.value, paged.value)),
    waiting: computed(() => live.value.waiting.length),
    show: () => (live.value = reveal(live.value)),
  };
};
