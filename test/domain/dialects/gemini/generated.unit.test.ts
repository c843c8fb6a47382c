import { expect } from 'chai';
import fc from 'fast-check';
import { Generated } from '../../../../domain/dialects/gemini/generated.ts';

interface Part {
  readonly text?: string;
  readonly thought?: boolean;
  readonly functionCall?: { readonly id: string; readonly name: string; readonly args: object };
}

const IDENTITY = { responseId: 'req_1', model: 'm' };
const chunk = (delta: object): object => ({ choices: [{ index: 0, delta, finish_reason: null }] });
const partsOf = (response: unknown): readonly Part[] =>
  (response as { candidates: { content: { parts: Part[] } }[] } | null)?.candidates[0]?.content.parts ?? [];

const pushed = (generated: Generated, delta: object): object | null => {
  const json = generated.push(chunk(delta));
  return json === null ? null : (JSON.parse(json) as object);
};

describe('a stream of OpenAI’s in Gemini’s form', () => {
  it('loses no piece of any text or call, in whatever order pieces come and however they are cut', () => {
    const piece = fc.oneof(
      fc.record({ kind: fc.constant('text' as const), text: fc.string({ minLength: 1, maxLength: 6 }) }),
      fc.record({ kind: fc.constant('thought' as const), text: fc.string({ minLength: 1, maxLength: 6 }) }),
      fc.record({ kind: fc.constant('call' as const), call: fc.nat(3), text: fc.string({ maxLength: 6 }) }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const generated = new Generated(IDENTITY);
        const named = new Set<number>();
        const parts = pieces.flatMap((one) => {
          if (one.kind === 'text') return partsOf(pushed(generated, { content: one.text }));
          if (one.kind === 'thought') return partsOf(pushed(generated, { reasoning_content: one.text }));
          const start = named.has(one.call) ? {} : { id: `call_${one.call}`, name: `tool-${one.call}` };
          named.add(one.call);
          const { id, name } = start as { id?: string; name?: string };
          return partsOf(
            pushed(generated, {
              tool_calls: [
                {
                  index: one.call,
                  ...(id === undefined ? {} : { id }),
                  function: { ...(name === undefined ? {} : { name }), arguments: one.text },
                },
              ],
            }),
          );
        });
        parts.push(...partsOf(generated.end({ totalTokenCount: 1 })));
        const said = (thought: boolean): string =>
          parts
            .filter((part) => part.text !== undefined && (part.thought === true) === thought)
            .map(({ text }) => text)
            .join('');
        const meant = (kind: string): string =>
          pieces
            .filter((one) => one.kind === kind)
            .map(({ text }) => text)
            .join('');
        expect(said(false)).to.equal(meant('text'));
        expect(said(true)).to.equal(meant('thought'));
        const calls = parts.flatMap(({ functionCall }) => (functionCall === undefined ? [] : [functionCall]));
        expect(new Set(calls.map(({ name }) => name))).to.deep.equal(new Set([...named].map((call) => `tool-${call}`)));
        expect(calls).to.have.length(named.size);
      }),
    );
  });

  it('takes nothing that it does not understand for an answer', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 8 }), (chunks) => {
        const generated = new Generated(IDENTITY);
        for (const one of chunks) generated.push(one);
        expect(partsOf(generated.end({}))).not.to.have.length(0);
      }),
    );
  });
});
