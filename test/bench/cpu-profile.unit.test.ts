import { expect } from 'chai';
import { summarise } from './cpu-profile.ts';

const frame = (functionName: string, url = '', lineNumber = -1): object => ({ functionName, url, lineNumber });

const PROFILE = JSON.stringify({
  startTime: 1_000,
  endTime: 2_000,
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3, 6] },
    { id: 2, callFrame: frame('(idle)') },
    { id: 3, callFrame: frame('onRequest', 'file:///somewhere/dist/gateways/relay/call.js', 9), children: [4] },
    { id: 4, callFrame: frame('parse', 'file:///somewhere/node_modules/zod/v4/parse.js', 4), children: [5] },
    { id: 5, callFrame: frame('onRequest', 'file:///somewhere/dist/gateways/relay/call.js', 9) },
    { id: 6, callFrame: frame('(garbage collector)') },
  ],
  //        t = 1100  1200 1300 1400 1500 1600
  samples: [2, 3, 4, 5, 6, 3],
  timeDeltas: [100, 100, 100, 100, 100, 100],
});

describe('the summary of a CPU profile', () => {
  it('charges each function with its own time and the project’s with what they call, once', () => {
    const { busy, self, total, origin } = summarise(PROFILE, 0, 10_000);
    expect(busy).to.equal(400);
    expect(self).to.deep.equal([
      { place: 'onRequest gateways/relay/call.js:10', share: 0.5 },
      { place: 'parse npm:zod/v4/parse.js:5', share: 0.25 },
      { place: '(garbage collector)', share: 0.25 },
    ]);
    expect(total).to.deep.equal([{ place: 'onRequest gateways/relay/call.js:10', share: 0.75 }]);
    expect(origin.map(({ place }) => place)).to.deep.equal(['gateways/relay/call.js', 'npm:zod', 'engine and system calls']);
  });

  it('leaves out what lies before and after', () => {
    const { busy, self } = summarise(PROFILE, 1_250, 1_350);
    expect(busy).to.equal(100);
    expect(self).to.deep.equal([{ place: 'parse npm:zod/v4/parse.js:5', share: 1 }]);
  });
});
