import { expect } from 'chai';
import { passwordAtFault } from '../../../domain/user/password-rules.ts';

describe('password rules', () => {
  it('ask for length and nothing about characters', () => {
    for (const good of [
      'correct horse battery',
      'aeiou bcdfg hjkl',
      'zwölf Boxkämpfer',
      '我的密码是一个很长的句子',
      'k3v9w-m2x8z-q7r4t-n5p6s',
    ])
      expect(passwordAtFault(good, 'ada@example.com'), good).to.equal(null);
    for (const short of ['', 'a', 'Xk9$qL2!z', '密码密码密'])
      expect(passwordAtFault(short, 'ada@example.com')?.refused, short).to.equal('weak_password');
  });

  it('refuse what is guessed first', () => {
    for (const common of [
      'password123',
      'Password2026!',
      'Passw0rd!!',
      '1234567890',
      '0987654321',
      'qwertyuiop',
      'poiuytrewq',
      '1q2w3e4r5t',
      'aaaaaaaaaaaa',
      'abcabcabcabc',
      '121212121212',
      'iloveyou123',
      'Administrator',
      'letmeinnow!',
      'qazwsxedcrfv',
      'Summer2026!',
    ]) {
      expect(passwordAtFault(common, 'ada@example.com')?.refused, common).to.equal('weak_password');
    }
  });

  it('refuse the address itself with little added', () => {
    expect(passwordAtFault('ada.lovelace@example.com', 'Ada.Lovelace@example.com')?.refused).to.equal('weak_password');
    expect(passwordAtFault('ada.lovelace1', 'ada.lovelace@example.com')?.refused).to.equal('weak_password');
    expect(passwordAtFault('ada.lovelace likes punched cards', 'ada.lovelace@example.com')).to.equal(null);
  });
});
