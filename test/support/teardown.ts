/**
 * Work to do once, after the last test of the run: stopping what tests share. The list lives on `globalThis` because mocha may load the
 * root hooks and the tests through different module loaders, and both must see the same list.
 */
type Teardown = () => Promise<void>;

const KEY = Symbol.for('oblivious.test.teardown');

function registered(): Teardown[] {
  const holder = globalThis as { [KEY]?: Teardown[] };
  holder[KEY] ??= [];
  return holder[KEY];
}

/** Registers work for the end of the run; it is done in reverse order of registration. */
export function onTeardown(work: Teardown): void {
  registered().push(work);
}

/** Runs and forgets everything registered; the first failure is thrown after all of it was tried. */
export async function runTeardown(): Promise<void> {
  const failures: unknown[] = [];
  for (const work of registered().splice(0).reverse()) {
    try {
      await work();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
