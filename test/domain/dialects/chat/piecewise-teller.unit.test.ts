import { expect } from 'chai';
import { PiecewiseTeller, type Piece } from '../../../../domain/dialects/chat/piecewise-teller.ts';
import { hunyuanTeller } from '../../../../domain/dialects/hunyuan/completion-chunks.ts';
import { wenxinTeller } from '../../../../domain/dialects/wenxin/completion-chunks.ts';
import type { Teller, Told } from '../../../../domain/dialects/chat/told.ts';

const NOTHING: Piece = { id: 'a', deltas: [], finish: null, usage: null };

describe('an answer that is told in pieces of one form', () => {
  const teller = (): PiecewiseTeller =>
    new PiecewiseTeller(
      {
        error: (event) => (event['error'] === undefined ? null : { status: 429, message: event['error'] as string }),
        piece: (event) => (event['piece'] as Piece | undefined) ?? null,
      },
      1,
      'm',
    );
  /** In short: deltas, reasons to end, usage, and what is no chunk. */
  const short = (told: readonly Told[]): readonly unknown[] =>
    told.map((each) => {
      if (typeof each === 'string') return each;
      const { error, usage, choices } = each.chunk as {
        error?: object;
        usage?: object;
        choices: { delta: object; finish_reason: string }[];
      };
      const [choice] = choices ?? [];
      return error ?? usage ?? choice?.finish_reason ?? choice?.delta;
    });
  const said = (to: Teller, ...events: readonly unknown[]): readonly unknown[] => short(events.flatMap((event) => to.push(event)));

  it('begins with whose it is, ends with its last piece and what it took, and says nothing behind it', () => {
    const to = teller();
    const told = [
      ...to.push({ piece: { ...NOTHING, deltas: [{ content: 'one' }, { content: 'two' }] } }),
      ...to.push({ piece: { ...NOTHING, id: 'other', deltas: [{ content: 'three' }], finish: 'stop', usage: { prompt_tokens: 1 } } }),
      ...to.push({ piece: { ...NOTHING, deltas: [{ content: 'four' }] } }),
      ...to.end(),
    ];
    expect(short(told)).to.deep.equal([
      { role: 'assistant', content: '' },
      { content: 'one' },
      { content: 'two' },
      { content: 'three' },
      'stop',
      { prompt_tokens: 1 },
      'done',
    ]);
    const ids = new Set(told.flatMap((each) => (typeof each === 'string' ? [] : [each.chunk['id']])));
    expect([...ids], 'the first piece names it').to.deep.equal(['chatcmpl-a']);
  });

  it('is alive while nothing new is said', () => {
    const to = teller();
    expect(said(to, {}, { piece: NOTHING }, { piece: NOTHING })).to.deep.equal(['alive', { role: 'assistant', content: '' }, 'alive']);
    expect(to.push('no object')).to.deep.equal([]);
  });

  it('is over with an error', () => {
    const told = said(teller(), { error: 'too many' }, { piece: { ...NOTHING, deltas: [{ content: 'x' }] } });
    expect(told).to.have.length(1);
    expect(told[0]).to.include({ message: 'too many' });
  });

  it('is Tencent’s, with its thoughts, its calls and its reason', () => {
    const call = { Index: 2, Id: 'c', Function: { Name: 'find', Arguments: '{' } };
    const event = {
      Id: 'h',
      Choices: [
        {
          Delta: { ReasoningContent: 'hm', Content: 'yes', ToolCalls: [call, { Function: { Arguments: '}' } }] },
          FinishReason: 'sensitive',
        },
      ],
      Usage: { PromptTokens: 3 },
    };
    expect(said(hunyuanTeller(1, 'm'), { Response: event })).to.deep.equal([
      { role: 'assistant', content: '' },
      { reasoning_content: 'hm' },
      { content: 'yes' },
      { tool_calls: [{ index: 2, id: 'c', type: 'function', function: { name: 'find', arguments: '{' } }] },
      { tool_calls: [{ index: 1, function: { arguments: '}' } }] },
      'content_filter',
      { prompt_tokens: 3, completion_tokens: 0 },
      'done',
    ]);
  });

  it('is Baidu’s, whole or in pieces', () => {
    const whole = { id: 'w', result: 'yes', is_truncated: true, usage: { prompt_tokens: 3, completion_tokens: 1 } };
    const ended = ['length', { prompt_tokens: 3, completion_tokens: 1 }, 'done'];
    const begun = [{ role: 'assistant', content: '' }, { content: 'yes' }];
    expect(said(wenxinTeller(1, 'm'), whole)).to.deep.equal([...begun, ...ended]);
    expect(said(wenxinTeller(1, 'm'), { ...whole, is_end: false }, { ...whole, result: '', is_end: true })).to.deep.equal([
      ...begun,
      ...ended,
    ]);
    expect(said(wenxinTeller(1, 'm'), { error_code: 18, error_msg: 'slow down' })[0]).to.include({ message: 'slow down' });
  });
});
