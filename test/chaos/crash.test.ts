import { expect } from 'chai';
import { FAILPOINTS, runCrashes } from './crash.ts';

const number = (name: string, usual: number): number => Number(process.env[name] ?? usual);

/** Random kills of each run; with them come a tenth as many of each failpoint. */
const KILLS = number('CHAOS_KILLS', 100);
const SEED = number('CHAOS_SEED', Math.floor(Math.random() * 0x7fff_ffff));

describe('servers that are killed for a long time', () => {
  for (const [profile, gateways] of [
    ['embedded', 1],
    ['postgres', 3],
  ] as const) {
    it(`${profile}: every answer seen complete is charged once, no hold is left, the trial balance is zero`, async () => {
      const { findings, kills, text } = await runCrashes({
        profile,
        gateways,
        clients: 10,
        randomKills: KILLS,
        failpoints: Array.from({ length: Math.ceil(KILLS / 10) }, () => FAILPOINTS).flat(),
        freezes: gateways > 1 ? Math.ceil(KILLS / 20) : 0,
        longestLifeMs: 1_500,
        seed: SEED,
        progress: (line) => void process.stdout.write(`      ${line}\n`),
      });
      process.stdout.write(`${text}\n`);
      expect(findings.violations).to.deep.equal([]);
      expect(Object.keys(kills)).to.include.members([...FAILPOINTS]);
    });
  }
});
