import { expect } from 'chai';
import {
  draftOf,
  emptyDraft,
  fieldOf,
  listItems,
  readDraft,
  sameRestrictions,
  type KeyDraft,
} from '../../../ui/src/features/keys/key-draft.ts';
import { sampleKeys } from '../support/sample-data.ts';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
const draft = (change: Partial<KeyDraft>): KeyDraft => ({ ...emptyDraft(), name: 'web', ...change });

describe('the form of a key', () => {
  it('asks for a name and nothing else', () => {
    expect(readDraft(emptyDraft(), NOW, 'UTC').errors).to.deep.equal({ name: 'name' });
    expect(readDraft(draft({ name: ' web ' }), NOW, 'UTC').values).to.deep.equal({
      name: 'web',
      expiresAt: null,
      caps: { day: null, month: null, total: null },
      restrictions: { models: null, endpoints: null, addresses: null },
    });
  });

  it('ends a key with its last day, where the reader is', () => {
    expect(readDraft(draft({ expiry: 'date', lastDay: '2026-12-31' }), NOW, 'Asia/Shanghai').values?.expiresAt).to.equal(
      '2026-12-31T16:00:00.000Z',
    );
    expect(readDraft(draft({ expiry: '30' }), NOW, 'UTC').values?.expiresAt).to.equal('2026-12-22T12:00:00.000Z');
    expect(readDraft(draft({ expiry: 'date', lastDay: '2026-11-21' }), NOW, 'UTC').errors).to.deep.equal({ lastDay: 'past' });
    expect(readDraft(draft({ expiry: 'date', lastDay: '' }), NOW, 'UTC').errors).to.deep.equal({ lastDay: 'day' });
  });

  it('reads caps as money', () => {
    expect(readDraft(draft({ caps: { day: '0.50', month: '', total: '1,000' } }), NOW, 'UTC').values?.caps).to.deep.equal({
      day: '500000000',
      month: null,
      total: '1000000000000',
    });
    expect(readDraft(draft({ caps: { day: 'much', month: '-1', total: '' } }), NOW, 'UTC').errors).to.deep.equal({
      day: 'money',
      month: 'money',
    });
  });

  it('refuses a restriction that lets nothing through', () => {
    expect(readDraft(draft({ limitModels: true, models: ' , ' }), NOW, 'UTC').errors).to.deep.equal({ models: 'models' });
    expect(readDraft(draft({ limitEndpoints: true, endpoints: [] }), NOW, 'UTC').errors).to.deep.equal({ endpoints: 'endpoints' });
    expect(readDraft(draft({ limitAddresses: true }), NOW, 'UTC').errors).to.deep.equal({ addresses: 'addresses' });
  });

  it('catches slips in addresses', () => {
    for (const right of ['10.0.0.1', '10.0.0.0/8', '2001:db8::/32', '::1'])
      expect(readDraft(draft({ limitAddresses: true, addresses: right }), NOW, 'UTC').errors, right).to.deep.equal({});
    for (const wrong of ['10.0.0.256', 'localhost', '10.0.0.0/33', '10.0.0'])
      expect(readDraft(draft({ limitAddresses: true, addresses: wrong }), NOW, 'UTC').errors, wrong).to.deep.equal({
        addresses: 'addressShape',
      });
  });

  it('takes lists as they are pasted', () => {
    expect(listItems('a, b\n\nb;c\r\nd')).to.deep.equal(['a', 'b', 'c', 'd']);
  });

  it('gives back the key that it was filled from', () => {
    for (const key of sampleKeys(NOW)) {
      const read = readDraft(draftOf(key, 'Europe/Berlin'), NOW, 'Europe/Berlin', key.expiresAt);
      expect(read.errors, key.name).to.deep.equal({});
      expect(read.values).to.deep.equal({ name: key.name, expiresAt: key.expiresAt, caps: key.caps, restrictions: key.restrictions });
      expect(sameRestrictions(read.values!.restrictions, key.restrictions)).to.equal(true);
    }
  });

  it('finds the field that the server found at fault', () => {
    expect(fieldOf('restrictions.models.0')).to.equal('models');
    expect(fieldOf('caps.day')).to.equal('day');
    expect(fieldOf('expiresAt')).to.equal('lastDay');
    expect(fieldOf('userId')).to.equal(null);
    expect(fieldOf(null)).to.equal(null);
  });
});
