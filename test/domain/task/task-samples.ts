import type { EventOf } from '../../../schemas/events/catalogue.ts';
import { ChannelId, LeaseId, RequestId, TaskId, TokenId, UserId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';

export const taskId = TaskId.parse('task_1');
export const owner = UserId.parse('usr_1');

export const submission = (changes: Partial<EventOf<'TaskSubmitted'>['data']> = {}): EventOf<'TaskSubmitted'>['data'] => ({
  taskId,
  userId: owner,
  tokenId: TokenId.parse('key_1'),
  requestId: RequestId.parse('req_1'),
  leaseId: LeaseId.parse('lse_1'),
  model: 'sora-2',
  shape: 'openai',
  action: 'generate',
  platform: 'openai',
  upstreamAction: 'generate',
  channelId: ChannelId.parse('chn_1'),
  channelKeyId: null,
  upstreamId: 'video_1',
  price: 400n as Money,
  seconds: 4,
  size: '720x1280',
  source: null,
  submittedAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-01-02T00:00:00.000Z',
  ...changes,
});
