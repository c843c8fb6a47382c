import type { ChannelsEdit } from '../../api/channels.ts';
import { namesIn } from '../../lib/name-list.ts';
import { parsePercent, wholeIn } from './channel-draft.ts';

/** One change to many channels as it stands in a form; what is empty stays as each has it. */
export interface BulkDraft {
  state: 'keep' | 'on' | 'off';
  priority: string;
  weight: string;
  groupsAre: 'keep' | 'every' | 'these';
  groups: string;
  cost: string;
  addTags: string;
  removeTags: string;
}

/** Keys of messages under `channels.form.errors` and `channels.bulk.errors`. */
export type BulkErrors = Partial<Record<keyof BulkDraft, 'priority' | 'weight' | 'groups' | 'cost' | 'tags'>>;

export const emptyBulkDraft = (): BulkDraft => ({
  state: 'keep',
  priority: '',
  weight: '',
  groupsAre: 'keep',
  groups: '',
  cost: '',
  addTags: '',
  removeTags: '',
});

const LONGEST_TAG = 40;
const MOST_TAGS = 20;

/** `edit` is `null` where something is wrong, and empty where nothing is to change. */
export const readBulkDraft = (draft: BulkDraft): { readonly edit: ChannelsEdit | null; readonly errors: BulkErrors } => {
  const errors: BulkErrors = {};
  const given = <Value>(text: string, read: (text: string) => Value | null, field: 'priority' | 'weight' | 'cost'): Value | undefined => {
    if (text.trim() === '') return undefined;
    const value = read(text);
    if (value === null) errors[field] = field;
    return value ?? undefined;
  };
  const tags = (field: 'addTags' | 'removeTags'): string[] => {
    const names = namesIn(draft[field]);
    if (names.length > MOST_TAGS || names.some((name) => name.length > LONGEST_TAG)) errors[field] = 'tags';
    return names;
  };
  const priority = given(draft.priority, (text) => wholeIn(text, -1_000, 1_000), 'priority');
  const weight = given(draft.weight, (text) => wholeIn(text, 0, 10_000), 'weight');
  const costRatio = given(
    draft.cost,
    (text) => {
      const ratio = parsePercent(text);
      return ratio === null || ratio > 1_000_000_000 ? null : ratio;
    },
    'cost',
  );
  const groups = namesIn(draft.groups);
  if (draft.groupsAre === 'these' && groups.length === 0) errors.groups = 'groups';
  const [addTags, removeTags] = [tags('addTags'), tags('removeTags')];
  if (Object.keys(errors).length > 0) return { edit: null, errors };
  return {
    edit: {
      ...(draft.state === 'keep' ? {} : { enabled: draft.state === 'on' }),
      ...(priority === undefined ? {} : { priority }),
      ...(weight === undefined ? {} : { weight }),
      ...(draft.groupsAre === 'keep' ? {} : { groups: draft.groupsAre === 'every' ? null : groups }),
      ...(costRatio === undefined ? {} : { costRatio }),
      ...(addTags.length === 0 ? {} : { addTags }),
      ...(removeTags.length === 0 ? {} : { removeTags }),
    },
    errors,
  };
};
