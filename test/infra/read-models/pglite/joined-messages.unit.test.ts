import { expect } from 'chai';
import { joiningMessages } from '../../../../infra/read-models/pglite/joined-messages.ts';

const message = (letter: string, body = ''): Uint8Array => new Uint8Array(Buffer.from(letter + body));

describe('joined messages', () => {
  const setup = () => {
    const ran: string[] = [];
    const run = joiningMessages<null>(async (messages) => void ran.push(Buffer.from(messages).toString()));
    return {
      ran,
      send: (...messages: readonly Uint8Array[]) =>
        messages.reduce<Promise<void>>(async (last, each) => (await last, run(each, null)), Promise.resolve()),
    };
  };

  it('run the parts of a statement together, once it is complete', async () => {
    const { ran, send } = setup();
    await send(message('P', '1'), message('B', '2'), message('D'), message('E'));
    expect(ran).to.deep.equal([]);
    await send(message('S'));
    expect(ran).to.deep.equal(['P1B2DES']);
    await send(message('P', '3'), message('H'), message('Q', 'select'), message('X'));
    expect(ran).to.deep.equal(['P1B2DES', 'P3H', 'Qselect', 'X']);
  });

  it('forget what a connection left half said when another begins', async () => {
    const { ran, send } = setup();
    await send(message('P', 'lost'), message('\0', 'startup'), message('Q', 'select'));
    expect(ran).to.deep.equal(['\0startup', 'Qselect']);
  });
});
