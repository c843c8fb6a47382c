import { expect } from 'chai';
import fc from 'fast-check';
import { deriveEventId } from '../../commands/event-id.ts';
import { CommandId, EventId } from '../../schemas/ids.ts';

const command = (text: string): CommandId => CommandId.parse(text);

describe('deriveEventId', () => {
  it('is the name-based UUID of the command and the place of the event', () => {
    // Reckoned with Python's uuid.uuid5 over the same namespace.
    expect(deriveEventId(command('debit:req_01'), 0)).to.equal('043f177a-7535-5176-8ae8-f5248d1a7a4d');
    expect(deriveEventId(command('debit:req_01'), 1)).to.equal('0363a25c-98dd-5aeb-b4f1-426d09075c7c');
    expect(deriveEventId(command('ключ-☃'), 0)).to.equal('a8c71618-7fcd-530a-bcd7-7ec3df7ef8f9');
  });

  it('takes the longest command id there can be', () => {
    const longest = '☃'.repeat(200);
    expect(deriveEventId(command(longest), 999)).to.not.equal(deriveEventId(command(`${longest.slice(1)}☂`), 999));
    expect(() => deriveEventId(`${longest}x` as CommandId, 0)).to.throw(RangeError);
  });

  it('is a valid id, the same for the same input and another for any other', () => {
    const text = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }).filter((value) => value.length <= 200);
    fc.assert(
      fc.property(text, fc.nat(2_000), text, fc.nat(2_000), (a, i, b, j) => {
        const id = deriveEventId(command(a), i);
        expect(EventId.safeParse(id).success).to.equal(true);
        expect(deriveEventId(command(b), j) === id).to.equal(a === b && i === j);
      }),
    );
  });

  it('keeps apart a command whose id ends or begins like another one’s index', () => {
    expect(deriveEventId(command('1/x'), 1)).to.not.equal(deriveEventId(command('x'), 11));
    expect(deriveEventId(command('/x'), 1)).to.not.equal(deriveEventId(command('x'), 1));
  });
});
