import { expect } from 'chai';
import { extractText } from '../../../domain/vectors/extract-text.ts';

const extracted = (name: string, text: string | null): unknown => {
  const found = extractText(name, () => text);
  return 'text' in found ? found.text : found.code;
};

describe('the text of a file', () => {
  it('is what is in it, where its kind is text', () => {
    expect(extracted('notes.md', '# A\n')).to.equal('# A\n');
    expect(extracted('a/b/Makefile', 'all:')).to.equal('all:');
    expect(extracted('DATA.CSV', '\ufeffa,b')).to.equal('a,b');
  });

  it('is what people see of a page', () => {
    const page =
      '<!DOCTYPE html><html><head><title>Ti&amp;tle</title><style>p{}</style></head><body><!-- no --><p>One &#x41;&#66; two</p><script>x("<p>")</script><div>a<b>b</b></div></body></html>';
    expect(extracted('page.html', page)).to.equal('Ti&tle\nOne AB two\na b');
    expect(extracted('page.htm', '<p>&#xD800;&bogus;</p>')).to.equal('&#xD800;&bogus;');
  });

  it('is refused, and why', () => {
    expect(extracted('photo.png', 'x')).to.equal('unsupported_file');
    expect(extracted('paper.pdf', 'x')).to.equal('unsupported_file');
    expect(extracted('noname', 'x')).to.equal('unsupported_file');
    expect(extracted('a.txt', null)).to.equal('invalid_file');
    expect(extracted('a.txt', 'a\u0000b')).to.equal('invalid_file');
    expect(extracted('a.txt', ' \n ')).to.equal('invalid_file');
    expect(extracted('a.html', '<script>x</script>')).to.equal('invalid_file');
  });

  it('takes time that grows with the page and not faster, however broken it is', function () {
    this.timeout(10_000);
    for (const piece of ['<p', '<!--', '<script', '<a <b', '&#', '<script></x']) extractText('a.html', () => piece.repeat(200_000));
  });
});
