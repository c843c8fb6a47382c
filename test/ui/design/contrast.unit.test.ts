import { readFileSync } from 'node:fs';
import { expect } from 'chai';

type Rgb = readonly [number, number, number];
interface Colour {
  readonly rgb: Rgb;
  readonly alpha: number;
}

const css = readFileSync(new URL('../../../ui/src/design/tokens.css', import.meta.url), 'utf8');

/** OKLab to sRGB after Björn Ottosson, "A perceptual color space for image processing" (2020), rounded as a screen has it. */
const fromOklch = (lightness: number, chroma: number, degrees: number): Rgb => {
  const hue = (degrees * Math.PI) / 180;
  const [a, b] = [chroma * Math.cos(hue), chroma * Math.sin(hue)];
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const encode = (linear: number): number => {
    const inside = Math.min(1, Math.max(0, linear));
    return Math.round(255 * (inside <= 0.0031308 ? 12.92 * inside : 1.055 * inside ** (1 / 2.4) - 0.055));
  };
  return [
    encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encode(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
};

const tokensOf = (selector: string): ReadonlyMap<string, Colour> => {
  const start = css.indexOf(`${selector} {`);
  const block = css.slice(start, css.indexOf('\n}', start));
  return new Map(
    [...block.matchAll(/--([\w-]+): oklch\(([\d.]+) ([\d.]+) ([\d.]+)(?: \/ ([\d.]+))?\);/g)].map(([, name, l, c, h, alpha]) => [
      name!,
      { rgb: fromOklch(Number(l), Number(c), Number(h)), alpha: alpha === undefined ? 1 : Number(alpha) },
    ]),
  );
};

const mixed = (over: number, under: number, alpha: number): number => Math.round(over * alpha + under * (1 - alpha));
const laidOver = (top: Colour, under: Rgb): Rgb => [
  mixed(top.rgb[0], under[0], top.alpha),
  mixed(top.rgb[1], under[1], top.alpha),
  mixed(top.rgb[2], under[2], top.alpha),
];

/** WCAG 2.2, "relative luminance" and "contrast ratio". */
const luminance = ([red, green, blue]: Rgb): number => {
  const linear = (channel: number): number => (channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
};
const contrast = (one: Rgb, other: Rgb): number => {
  const [lighter, darker] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
};

const TEXT = ['ink', 'ink-muted', 'ink-subtle', 'accent', 'ok', 'warn', 'bad'];
const READABLE = 4.5;
const VISIBLE = 3;

describe('the contrast of the tokens', () => {
  it('is measured as browsers paint and as WCAG counts', () => {
    expect(fromOklch(0.535, 0.012, 262)).to.deep.equal([0x69, 0x6d, 0x74]);
    expect(contrast([0x69, 0x6d, 0x74], [0xee, 0xee, 0xee])).to.be.closeTo(4.48, 0.005);
    expect(contrast([0, 0, 0], [255, 255, 255])).to.equal(21);
  });

  for (const [theme, selector] of [
    ['light', ':root'],
    ['dark', `[data-theme='dark']`],
  ] as const)
    describe(theme, () => {
      const tokens = tokensOf(selector);
      const token = (name: string): Colour => tokens.get(name) ?? expect.fail(`no token --${name}`);
      const onGround = (text: string, ground: string, overlay?: string): number => {
        const under = token(ground).rgb;
        return contrast(token(text).rgb, overlay === undefined ? under : laidOver(token(overlay), under));
      };

      it('lets every text be read on every ground, also where that is hovered or selected', () => {
        for (const text of TEXT) {
          expect(onGround(text, 'sunken'), `${text} on sunken`).to.be.at.least(READABLE);
          for (const ground of ['canvas', 'surface', 'raised'])
            for (const overlay of [undefined, 'hover', 'selected'])
              expect(onGround(text, ground, overlay), `${text} on ${ground}, ${overlay ?? 'as it is'}`).to.be.at.least(READABLE);
        }
      });

      it('lets words on colour be read', () => {
        for (const tone of ['ok', 'warn', 'bad', 'accent']) expect(onGround(tone, `${tone}-soft`), tone).to.be.at.least(READABLE);
        for (const fill of ['accent', 'solid']) expect(onGround(`${fill}-ink`, fill), fill).to.be.at.least(READABLE);
      });

      it('lets the border of a control be seen', () => {
        for (const ground of ['canvas', 'surface', 'raised']) expect(onGround('line-strong', ground), ground).to.be.at.least(VISIBLE);
      });
    });
});
