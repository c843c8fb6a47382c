import fc from 'fast-check';

const given = process.env['FC_SEED'];

/** The seed of this run's properties: `FC_SEED`, or drawn at random. Printed with every property that uses it. */
export const SEED: number = given === undefined || given === '' ? Math.floor(Math.random() * 0x7fff_ffff) : Number.parseInt(given, 10);

/** `FC_RUNS` multiplies how often each property is tried: 1 in the everyday suite, more for a night. */
const FACTOR = Number.parseFloat(process.env['FC_RUNS'] ?? '1');

/** How long a test with properties may take, in milliseconds. */
export const PROPERTY_TIMEOUT = 60_000 * Math.max(1, FACTOR);

let isPrinted = false;

const parameters = (numRuns: number): fc.Parameters<unknown> => {
  if (!isPrinted) {
    isPrinted = true;
    process.stdout.write(`    properties with FC_SEED=${SEED}\n`);
  }
  return {
    seed: SEED,
    numRuns: Math.max(1, Math.round(numRuns * FACTOR)),
    verbose: fc.VerbosityLevel.Verbose,
    endOnFailure: process.env['FC_SHRINK'] === 'off',
  };
};

/** Checks a property with the run's seed. A failure names seed and path, so that `FC_SEED` brings it back. */
export const check = <Values>(property: fc.IProperty<Values>, numRuns = 200): void =>
  fc.assert(property, parameters(numRuns) as fc.Parameters<Values>);

/** As {@link check} for properties that wait. */
export const checkAsync = (property: fc.IAsyncProperty<unknown>, numRuns = 200): Promise<void> => fc.assert(property, parameters(numRuns));
