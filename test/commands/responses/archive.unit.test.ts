import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { ArchiveCaller } from '../../../commands/responses/archive-context.ts';
import { Conversations } from '../../../commands/responses/conversations.ts';
import { KeptResponses, type ResponseToKeep } from '../../../commands/responses/kept-responses.ts';
import type { ConversationId, RequestId, ResponseId, TokenId, UserId } from '../../../schemas/ids.ts';
import { memoryLog, type MemoryLog } from '../../support/memory-log.ts';
import { memoryVault, type MemoryVault } from '../../support/memory-vault.ts';
import { done, refused } from '../../support/refused.ts';

const USER = 'usr_1' as UserId;
const OTHER = 'usr_2' as UserId;
const by = (requestId: string, userId: UserId = USER): ArchiveCaller => ({ userId, tokenId: 'key_1' as TokenId, requestId });

const toKeep = (id: string, text: string): ResponseToKeep => ({
  responseId: id as ResponseId,
  requestId: 'req_1' as RequestId,
  model: 'm',
  conversationId: null,
  isBegun: false,
  content: {
    response: { id, status: 'completed', output: [{ type: 'message', id: 'msg_1', content: text }] },
    input: [{ type: 'message', id: 'msg_0', role: 'user', content: text }],
    lineage: [],
  },
});

interface Kept {
  readonly log: MemoryLog;
  readonly keys: MemoryVault;
  readonly responses: KeptResponses;
  readonly conversations: Conversations;
}
const open = (): Kept => {
  const log = memoryLog();
  const keys = memoryVault();
  const appender = {
    append: async (append: Parameters<MemoryLog['append']>[0][number]) => {
      const [outcome] = await log.append([append]);
      return outcome ?? expect.fail('no outcome');
    },
  };
  const deps = { log, appender, vault: keys.vault, clock: { now: () => 1_000 }, keepMs: 1_000 };
  return { log, keys, responses: new KeptResponses(deps), conversations: new Conversations(deps) };
};
const stored = ({ log }: Kept): string => JSON.stringify(log.events.map(({ data }) => data));

describe('kept responses', () => {
  it('are read as they were kept, by their user only, and lie in the log as ciphertext', async () => {
    const kept = open();
    const response = toKeep('resp_1', 'a secret of the user');
    expect(await kept.responses.keep(by('req_1'), response)).to.equal(null);
    expect(done(await kept.responses.read(USER, 'resp_1'))).to.deep.equal(response.content);
    for (const [userId, id] of [
      [OTHER, 'resp_1'],
      [USER, 'resp_2'],
      [USER, 'usr_1'],
      [USER, ''],
    ] as const)
      expect(refused(await kept.responses.read(userId, id)).refused).to.equal('not_found');
    expect(stored(kept)).not.to.contain('secret');
  });

  it('are larger than one event may be, up to what the log takes at once', async () => {
    const kept = open();
    const noise = (bytes: number): string => randomBytes(bytes).toString('base64');
    const large = toKeep('resp_1', noise(700_000));
    expect(await kept.responses.keep(by('req_1'), large)).to.equal(null);
    expect(kept.log.events.length).to.be.greaterThan(1);
    expect(done(await kept.responses.read(USER, 'resp_1'))).to.deep.equal(large.content);
    expect(refused(await kept.responses.keep(by('req_2'), toKeep('resp_2', noise(2_500_000)))).refused).to.equal('body_too_large');
    expect(kept.keys.size(), 'keys of what is kept').to.equal(1);
  });

  it('are gone for good when they are deleted: nobody has the key to what is in the log', async () => {
    const kept = open();
    await kept.responses.keep(by('req_1'), toKeep('resp_1', 'x'));
    expect(refused(await kept.responses.delete(by('req_2', OTHER), 'resp_1')).refused).to.equal('not_found');
    expect(kept.keys.size()).to.equal(1);
    expect(await kept.responses.delete(by('req_2'), 'resp_1')).to.equal(null);
    expect(kept.keys.size()).to.equal(0);
    expect(refused(await kept.responses.read(USER, 'resp_1')).refused).to.equal('not_found');
    const first = kept.log.events[0];
    expect(await kept.keys.vault.open([{ contentId: 'resp_1', ciphertext: first?.data['content'] as string }])).to.deep.equal([null]);
    expect(refused(await kept.responses.delete(by('req_3'), 'resp_1')).refused).to.equal('not_found');
  });

  it('say when they cannot be reached', async () => {
    const kept = open();
    await kept.responses.keep(by('req_1'), toKeep('resp_1', 'x'));
    kept.keys.cut();
    expect(refused(await kept.responses.read(USER, 'resp_1')).refused).to.equal('log_unavailable');
    expect(refused(await kept.responses.keep(by('req_2'), toKeep('resp_2', 'x'))).refused).to.equal('log_unavailable');
    expect(refused(await kept.responses.delete(by('req_2'), 'resp_1')).refused).to.equal('log_unavailable');
    kept.keys.mend();
    kept.log.cut();
    expect(refused(await kept.responses.read(USER, 'resp_1')).refused).to.equal('log_unavailable');
    kept.log.mend();
    expect(done(await kept.responses.read(USER, 'resp_1')).response.id).to.equal('resp_1');
  });
});

describe('conversations', () => {
  const id = 'conv_1' as ConversationId;
  const item = (n: number): { type: string; id: string; content: string } => ({ type: 'message', id: `msg_${n}`, content: `secret ${n}` });
  const facts = { metadata: { topic: 'secret' }, createdAt: 1 };

  it('grow, are described anew, lose items, and end', async () => {
    const kept = open();
    const { conversations } = kept;
    expect(await conversations.start(by('req_1'), id, facts, [item(0)])).to.equal(null);
    expect(await conversations.add(by('req_2'), id, [item(1), item(2)])).to.equal(null);
    expect(await conversations.describe(by('req_3'), id, { ...facts, metadata: { topic: 'new' } })).to.equal(null);
    expect(done(await conversations.read(USER, id))).to.deep.equal({
      facts: { metadata: { topic: 'new' }, createdAt: 1 },
      items: [item(0), item(1), item(2)],
    });
    expect(stored(kept)).not.to.contain('secret');
    expect(await conversations.remove(by('req_4'), id, 'msg_1')).to.equal(null);
    expect(refused(await conversations.remove(by('req_5'), id, 'msg_1')).refused).to.equal('not_found');
    expect(done(await conversations.read(USER, id)).items).to.deep.equal([item(0), item(2)]);
    expect(kept.keys.size(), 'one for what it says of itself, two for items').to.equal(3);
    expect(await conversations.delete(by('req_6'), id)).to.equal(null);
    expect(kept.keys.size()).to.equal(0);
    expect(refused(await conversations.read(USER, id)).refused).to.equal('not_found');
    expect(refused(await conversations.add(by('req_7'), id, [item(3)])).refused).to.equal('not_found');
  });

  it('stay as they were where they could not be described anew', async () => {
    const { conversations, log } = open();
    await conversations.start(by('req_1'), id, facts, []);
    const anew = { ...facts, metadata: { topic: 'new' } };
    log.loseNextAnswer(false);
    expect(refused(await conversations.describe(by('req_2'), id, anew)).refused).to.equal('log_unavailable');
    expect(done(await conversations.read(USER, id)).facts).to.deep.equal(facts);
    expect(await conversations.describe(by('req_3'), id, anew)).to.equal(null);
    expect(done(await conversations.read(USER, id)).facts).to.deep.equal(anew);
  });

  it('belong to their user', async () => {
    const { conversations } = open();
    await conversations.start(by('req_1'), id, facts, []);
    const other = by('req_2', OTHER);
    for (const refusal of [
      await conversations.read(OTHER, id),
      await conversations.add(other, id, [item(1)]),
      await conversations.describe(other, id, facts),
      await conversations.remove(other, id, 'msg_0'),
      await conversations.delete(other, id),
    ])
      expect(refused(refusal).refused).to.equal('not_found');
    expect(done(await conversations.read(USER, id)).items).to.deep.equal([]);
  });
});
