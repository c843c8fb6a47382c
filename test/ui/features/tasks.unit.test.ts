import { expect } from 'chai';
import { countActive, readFields } from '../../../ui/src/lib/url-state.ts';
import { NARROWING, TASK_FIELDS, taskFilterOf } from '../../../ui/src/features/tasks/task-filters.ts';
import { isMoving, moneyOf } from '../../../ui/src/features/tasks/task-state.ts';
import { videoSample } from '../../../ui/src/features/tasks/video-sample.ts';

describe('the tasks room', () => {
  it('asks for what the address says, and of others only for administrators', () => {
    const values = readFields(TASK_FIELDS, {
      scope: 'all',
      state: 'failed',
      words: 'suno',
      channel: 'chn_1',
      user: 'usr_1',
      model: ' sora-2 ',
    });
    expect(taskFilterOf(values, true)).to.deep.equal({
      scope: 'all',
      status: 'failed',
      shape: 'suno',
      channelId: 'chn_1',
      userId: 'usr_1',
      model: 'sora-2',
    });
    expect(taskFilterOf(values, false)).to.deep.equal({
      scope: undefined,
      status: 'failed',
      shape: 'suno',
      channelId: undefined,
      userId: undefined,
      model: 'sora-2',
    });
    expect(countActive(TASK_FIELDS, values, NARROWING)).to.equal(5);
    expect(countActive(TASK_FIELDS, readFields(TASK_FIELDS, { scope: 'all', state: 'dancing' }), NARROWING)).to.equal(0);
  });

  it('knows what became of the price, and what will be old soon', () => {
    const rows = [
      [{ status: 'in_progress', refunded: null }, 'charged', true],
      [{ status: 'succeeded', refunded: null }, 'charged', false],
      [{ status: 'failed', refunded: null }, 'coming', true],
      [{ status: 'expired', refunded: '800000000' }, 'refunded', false],
      [{ status: 'cancelled', refunded: '0' }, 'none', false],
    ] as const;
    for (const [task, money, moving] of rows) {
      expect(moneyOf(task), task.status).to.equal(money);
      expect(isMoving(task), task.status).to.equal(moving);
    }
  });

  it('shows a call that can be pasted', () => {
    expect(videoSample('http://127.0.0.1:3000/v1', null)).to.contain('/v1/videos').and.contain('$OBLIVIOUS_API_KEY');
    expect(videoSample('http://127.0.0.1:3000/v1', 'sk-1')).to.contain('Bearer sk-1');
  });
});
