/**
 * Does something again and again, never twice at once: the next time is counted from the end of the one before. Returns what
 * ends it, which resolves when the last time is over.
 */
export const every = (ms: number, work: () => Promise<void> | void, failed: (error: unknown) => void): (() => Promise<void>) => {
  let stopped = false;
  let timer: NodeJS.Timeout;
  let running: Promise<void> = Promise.resolve();
  const again = (): void => {
    timer = setTimeout(() => {
      running = (async () => work())()
        .catch(failed)
        .then(() => {
          if (!stopped) again();
        });
    }, ms);
    timer.unref();
  };
  again();
  return () => {
    stopped = true;
    clearTimeout(timer);
    return running;
  };
};
