import { expect } from 'chai';
import { AskedResponses } from '../../../../gateways/relay/realtime/asked-responses.ts';

describe('responses that were asked for', () => {
  const asked = (...events: readonly (readonly [string | null, number])[]): AskedResponses => {
    const responses = new AskedResponses();
    for (const [eventId, output] of events) responses.ask(eventId, output);
    return responses;
  };

  it('count until they begin, and may have as much as the longest of them until none is left', () => {
    const responses = asked(['one', 10], [null, 30], ['three', 20]);
    expect([responses.count, responses.mostOutput]).to.deep.equal([3, 30]);
    responses.begun();
    responses.begun();
    expect([responses.count, responses.mostOutput]).to.deep.equal([1, 30]);
    responses.begun();
    expect([responses.count, responses.mostOutput]).to.deep.equal([0, 0]);
    responses.begun();
    expect(responses.count, 'one that nobody asked for').to.equal(0);
  });

  it('do not begin where an error names the event that asked', () => {
    const responses = asked(['one', 1], ['two', 1], ['three', 1]);
    responses.answered({ event_id: 'two' });
    responses.answered({ event_id: 'two' });
    expect(responses.count).to.equal(2);
    responses.answered({ event_id: 'one' });
    responses.answered({ event_id: 'three' });
    expect(responses.count).to.equal(0);
  });

  it('lose the oldest to an error that can only be about a response, and none to any other', () => {
    const responses = asked([null, 1], ['two', 1], ['three', 1]);
    for (const error of [null, 'broken', {}, { code: 'invalid_value', param: 'session.voice' }, { event_id: 'other' }])
      responses.answered(error);
    expect(responses.count).to.equal(3);
    responses.answered({ code: 'conversation_already_has_active_response' });
    responses.answered({ code: 'invalid_value', param: 'response.modalities' });
    expect(responses.count).to.equal(1);
    responses.answered({ event_id: 'three' });
    expect(responses.count, 'the newest was left').to.equal(0);
  });
});
