import { expect } from 'chai';
import { ProgressBar } from '../../../gateways/cli/render.ts';

/** A terminal of one line, so many characters wide; what is written beyond its last but one column would wrap. */
const terminal = (columns?: number) => {
  const line: string[] = [];
  let at = 0;
  let furthest = 0;
  return {
    isTTY: true,
    ...(columns === undefined ? {} : { columns }),
    write: (text: string) => {
      for (const letter of text)
        if (letter === '\r') at = 0;
        else {
          line[at++] = letter;
          furthest = Math.max(furthest, at);
        }
    },
    shown: () => line.join('').trimEnd(),
    furthest: () => furthest,
  };
};

describe('the progress bar', () => {
  it('shows how far the work is, over what it showed before', () => {
    const screen = terminal(80);
    const bar = new ProgressBar(screen, 'Verifying');
    bar.show(0.5, '1000 events of many');
    expect(screen.shown()).to.equal(`Verifying [${'#'.repeat(12)}${'.'.repeat(12)}] 50% 1000 events of many`);
    bar.show(2, 'done');
    expect(screen.shown()).to.equal(`Verifying [${'#'.repeat(24)}] 100% done`);
    bar.clear();
    expect(screen.shown()).to.equal('');
  });

  it('claims no share where nobody knows one', () => {
    const screen = terminal(80);
    new ProgressBar(screen, 'Exporting').show(null, '1200 rows');
    expect(screen.shown()).to.equal('Exporting 1200 rows');
  });

  it('stays within the terminal, however narrow', () => {
    for (const columns of [1, 10, 40, 52, 200, undefined]) {
      const screen = terminal(columns);
      const width = columns ?? 80;
      const bar = new ProgressBar(screen, 'Verifying');
      for (const share of [0.1, 0.9]) bar.show(share, `${'1'.repeat(60)} events`);
      bar.show(1);
      bar.clear();
      expect(screen.furthest(), `${width} columns`).to.be.at.most(width - 1);
      expect(screen.shown(), `${width} columns`).to.equal('');
    }
  });

  it('gives its length up before it gives up what it says', () => {
    const screen = terminal(30);
    new ProgressBar(screen, 'Verifying').show(0.5, '1000 events');
    expect(screen.shown()).to.equal(`Verifying [${'#'.repeat(6)}${'.'.repeat(6)}] 50%`);
  });

  it('takes the sign of an interrupt away with itself', () => {
    const screen = terminal(80);
    const bar = new ProgressBar(screen, 'Verifying');
    bar.show(0.5);
    screen.write('^C');
    bar.clear();
    expect(screen.shown()).to.equal('');
  });

  it('writes nothing where nobody looks on, and nothing to clear what was not shown', () => {
    const written: string[] = [];
    const output = { isTTY: false, columns: 80, write: (text: string) => written.push(text) };
    const bar = new ProgressBar(output, 'Verifying');
    bar.show(0.5);
    bar.clear();
    new ProgressBar({ ...output, isTTY: true }, 'Verifying').clear();
    expect(written).to.deep.equal([]);
  });
});
