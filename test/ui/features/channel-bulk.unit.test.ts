import { expect } from 'chai';
import { emptyBulkDraft, readBulkDraft, type BulkDraft } from '../../../ui/src/features/channels/bulk-draft.ts';
import { EditChannels } from '../../../schemas/http/channels.ts';

const draft = (change: Partial<BulkDraft>): BulkDraft => ({ ...emptyBulkDraft(), ...change });

describe('one change to many channels', () => {
  it('leaves what is empty as it is', () => {
    expect(readBulkDraft(emptyBulkDraft())).to.deep.equal({ edit: {}, errors: {} });
  });

  it('reads what is written, in the form that the server takes', () => {
    const { edit } = readBulkDraft(
      draft({
        state: 'off',
        priority: '-5',
        weight: '0',
        groupsAre: 'these',
        groups: 'vip, vip，team',
        cost: '62.5',
        addTags: 'a；b',
        removeTags: 'c',
      }),
    );
    expect(edit).to.deep.equal({
      enabled: false,
      priority: -5,
      weight: 0,
      groups: ['vip', 'team'],
      costRatio: 625_000,
      addTags: ['a', 'b'],
      removeTags: ['c'],
    });
    expect(EditChannels.safeParse({ tag: 'x', edit }).success).to.equal(true);
    expect(readBulkDraft(draft({ groupsAre: 'every', groups: 'ignored' })).edit).to.deep.equal({ groups: null });
  });

  it('says what cannot be read', () => {
    const { edit, errors } = readBulkDraft(
      draft({ priority: '1.5', weight: '-1', cost: 'free', groupsAre: 'these', addTags: 'x'.repeat(41), removeTags: 'fine' }),
    );
    expect(edit).to.equal(null);
    expect(errors).to.deep.equal({ priority: 'priority', weight: 'weight', cost: 'cost', groups: 'groups', addTags: 'tags' });
  });
});
