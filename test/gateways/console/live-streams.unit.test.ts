import { expect } from 'chai';
import { LiveStreams } from '../../../gateways/console/live-streams.ts';
import { isRefusal } from '../../../schemas/errors.ts';

describe('live streams', () => {
  it('are bounded for each caller and in all, and free their place when they end', () => {
    const streams = new LiveStreams();
    const opened = Array.from({ length: 12 }, () => streams.open('ada'));
    expect(opened.filter(isRefusal)).to.have.length(2);
    expect(isRefusal(streams.open('bob'))).to.equal(false);
    const [end] = opened;
    if (end === undefined || isRefusal(end)) return expect.fail('the first was refused');
    end();
    expect(isRefusal(streams.open('ada'))).to.equal(false);
    expect(isRefusal(streams.open('ada'))).to.equal(true);
    const others = Array.from({ length: 600 }, (_, index) => streams.open(`other${index}`));
    expect(others.filter((answer) => !isRefusal(answer))).to.have.length(489);
  });
});
