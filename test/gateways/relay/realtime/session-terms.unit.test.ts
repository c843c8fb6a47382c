import { expect } from 'chai';
import { AgreedTerms, termsOf } from '../../../../gateways/relay/realtime/session-terms.ts';

describe('the terms of a realtime session', () => {
  it('are read in the words of both interfaces', () => {
    expect(
      termsOf({
        max_output_tokens: 12,
        audio: {
          input: { turn_detection: null, transcription: { model: 'scribe' }, format: { type: 'audio/pcm', rate: 16_000 } },
          output: { format: { type: 'audio/pcmu' } },
        },
      }),
    ).to.deep.equal({ maxOutput: 12, answersByItself: false, transcriber: 'scribe', bytesPerSecond: 32_000, spokenBytesPerSecond: 8_000 });
    expect(
      termsOf({
        max_response_output_tokens: 'inf',
        turn_detection: { type: 'server_vad', create_response: false },
        input_audio_transcription: null,
        input_audio_format: 'pcm16',
        output_audio_format: 'g711_ulaw',
      }),
    ).to.deep.equal({ maxOutput: null, answersByItself: false, transcriber: null, bytesPerSecond: 48_000, spokenBytesPerSecond: 8_000 });
    expect(termsOf({ voice: 'alloy' })).to.deep.equal({});
  });

  it('hold in the dearer way until the upstream has confirmed a change', () => {
    const terms = new AgreedTerms();
    expect([terms.maxOutput(100), terms.answersByItself, terms.bytesPerSecond]).to.deep.equal([100, true, 8_000]);
    terms.confirmed({ max_output_tokens: 50, turn_detection: null, input_audio_format: 'pcm16' }, false);
    expect([terms.maxOutput(100), terms.answersByItself, terms.bytesPerSecond]).to.deep.equal([50, false, 48_000]);
    terms.asked({ max_output_tokens: 10, turn_detection: { type: 'server_vad' }, input_audio_format: 'g711_ulaw' });
    expect([terms.maxOutput(100), terms.answersByItself, terms.bytesPerSecond]).to.deep.equal([50, true, 8_000]);
    terms.asked({ max_output_tokens: 'inf' });
    expect(terms.maxOutput(100)).to.equal(100);
    terms.confirmed({ max_output_tokens: 10 }, true);
    expect([terms.maxOutput(100), terms.answersByItself]).to.deep.equal([100, false]);
    terms.confirmed({ max_output_tokens: 20 }, true);
    expect(terms.maxOutput(100)).to.equal(20);
  });

  it('name the transcriber that was asked for last', () => {
    const terms = new AgreedTerms();
    expect(terms.transcriber).to.equal(null);
    terms.asked({ audio: { input: { transcription: { model: 'one' } } } });
    terms.asked({ audio: { input: { transcription: { model: 'two' } } } });
    expect(terms.transcriber).to.equal('two');
    terms.confirmed({ audio: { input: { transcription: { model: 'one' } } } }, true);
    terms.confirmed({ audio: { input: { transcription: null } } }, true);
    expect(terms.transcriber).to.equal(null);
  });
});
