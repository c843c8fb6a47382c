import { expect } from 'chai';
import fc from 'fast-check';
import type { BodyFile } from '../../../../gateways/ports/body-files.ts';
import { Elider } from '../../../../gateways/relay/bodies/elision.ts';

const memoryFile = (): BodyFile & { readonly bytes: () => Buffer } => {
  let held = Buffer.alloc(0);
  return {
    bytes: () => held,
    append: (bytes) => {
      held = Buffer.concat([held, bytes]);
      return Promise.resolve();
    },
    read: (position, length) => Promise.resolve(held.subarray(position, position + length)),
    close: () => Promise.resolve(),
  };
};

const LONG = 20_000;

describe('what is taken out of a body', () => {
  it('is put back where it was, however the body came and whatever is in it', async () => {
    const part = fc.oneof(
      fc.constantFrom('{"a":"', '","b":"data:image/png;base64,', '"}', 'data:text/plain;base64,', '\\"', 'é', ' '),
      fc
        .record({ letter: fc.constantFrom('A', '/', '='), length: fc.integer({ min: LONG - 4_000, max: LONG }) })
        .map(({ letter, length }) => letter.repeat(length)),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 5 }),
        async (parts, cuts) => {
          const whole = Buffer.from(parts.join(''));
          const file = memoryFile();
          const elider = new Elider('0'.repeat(32), file, false);
          for (let at = 0, turn = 0; at < whole.length; turn++) {
            const end = at + (cuts[turn % cuts.length] as number);
            await elider.push(whole.subarray(at, end));
            at = end;
          }
          const { body, elision } = elider.end();
          const { length, stream } = elision.whole(body);
          const out = Buffer.concat((await stream.toArray()) as Buffer[]);
          expect(out.equals(whole)).to.equal(true);
          expect(length).to.equal(whole.length);
          expect(elision.bytes).to.equal(file.bytes().length);
          expect(elision.within(body.toString())).to.equal(elision.bytes);
        },
      ),
      { numRuns: 60 },
    );
  });
});
