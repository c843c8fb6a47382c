import { expect } from 'chai';
import { argon2Passwords } from '../../../infra/crypto/passwords.ts';
import { isRefusal } from '../../../schemas/errors.ts';

const QUICK = { memoryCost: 64, timeCost: 1, parallelism: 1 };

describe('passwords', () => {
  it('are kept as argon2id with at least what OWASP asks for', async () => {
    const passwords = argon2Passwords();
    const hash = await passwords.hash('correct horse');
    if (isRefusal(hash)) return expect.fail(hash.message);
    expect(hash).to.match(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$/);
    expect(await passwords.verify(hash, 'correct horse')).to.equal(true);
    expect(await passwords.verify(hash, 'correct horsf')).to.equal(false);
  });

  it('never hash twice to the same', async () => {
    const passwords = argon2Passwords(QUICK);
    expect(await passwords.hash('a')).not.to.equal(await passwords.hash('a'));
  });

  it('are never right for nobody', async () => {
    const passwords = argon2Passwords(QUICK);
    expect(await passwords.verify(null, '')).to.equal(false);
    expect(await passwords.verify(null, 'anything')).to.equal(false);
  });

  it('turn callers away when too many wait, and serve everybody else', async () => {
    const passwords = argon2Passwords(QUICK);
    const answers = await Promise.all(Array.from({ length: 60 }, () => passwords.hash('x')));
    expect(answers.filter((answer) => isRefusal(answer))).to.have.length(8);
    expect(answers.filter((answer) => typeof answer === 'string')).to.have.length(52);
    expect(await passwords.hash('x')).to.be.a('string');
  });

  it('are made with about 100 random bits, in characters that are not mistaken for each other', () => {
    const made = Array.from({ length: 500 }, () => argon2Passwords(QUICK).make());
    expect(new Set(made).size).to.equal(500);
    for (const password of made) expect(password).to.match(/^([0-9a-hjkmnp-tv-z]{5}-){3}[0-9a-hjkmnp-tv-z]{5}$/);
  });
});
