import { expect } from 'chai';
import { isOpenaiError, saidByForeignError } from '../../../../domain/dialects/openai/foreign-error.ts';

const SAID: readonly (readonly [what: string, body: unknown, sentence: string | null])[] = [
  ['a detail', { detail: 'Model not found.' }, 'Model not found.'],
  ['a message', { message: 'No.', status: 400 }, 'No.'],
  ['a message with a capital', { Message: 'No.' }, 'No.'],
  ['a msg', { code: 3, msg: 'No.' }, 'No.'],
  ['an error that is a text', { error: 'No.' }, 'No.'],
  ['an error that is described', { error: 'invalid_request', error_description: 'No such model.' }, 'No such model.'],
  ['an error within an error', { error: { error: { message: 'No.' } } }, 'No.'],
  ['a title', { title: 'Bad Request', type: 'about:blank' }, 'Bad Request'],
  ['a list of errors', { errors: [{ message: 'One.' }, 'Two.'] }, 'One.; Two.'],
  ['errors by field', { errors: { model: ['unknown'], n: ['too large'] } }, 'unknown; too large'],
  [
    'FastAPI’s list of faults',
    { detail: [{ type: 'missing', loc: ['body', 'messages', 0, 'role'], msg: 'Field required', input: { secret: 1 } }] },
    'messages.0.role: Field required',
  ],
  ['a list', [{ msg: 'No.' }], 'No.'],
  ['plain text', 'model  is\nrequired', 'model is required'],
  ['a page', '<!DOCTYPE html><html><body>nginx/1.2 at gw.corp.internal</body></html>', null],
  ['half of JSON', '{"detail": "Mod', null],
  ['nothing', '', null],
  ['an object that says nothing', { status: 400 }, null],
];

describe('an error that is none of OpenAI’s shape', () => {
  for (const [what, body, sentence] of SAID)
    it(`is told when it is ${what}`, () => {
      expect(saidByForeignError(typeof body === 'string' ? body : JSON.stringify(body))).to.equal(sentence);
    });

  it('does not say where the upstream is, nor with what it was asked', () => {
    const told = saidByForeignError(
      JSON.stringify({
        message:
          'upstream http://10.1.2.3:8080/v1?key=abc at gw-7.corp.internal:443 (203.0.113.9) refused Bearer abcdef0123456789 and sk-live_0123456789abcdef',
      }),
    );
    for (const secret of ['10.1.2.3', 'corp.internal', '203.0.113.9', 'abcdef0123456789', 'sk-live', 'key=abc'])
      expect(told).not.to.include(secret);
    expect(told).to.include('refused');
  });

  it('is cut', () => {
    expect(saidByForeignError('a '.repeat(2_000))?.length).to.be.below(502);
  });

  it('is not what OpenAI’s clients read', () => {
    expect(isOpenaiError({ error: { message: 'No.' } })).to.equal(true);
    for (const other of [{ error: 'No.' }, { error: {} }, { message: 'No.' }, null, []]) expect(isOpenaiError(other)).to.equal(false);
  });
});
