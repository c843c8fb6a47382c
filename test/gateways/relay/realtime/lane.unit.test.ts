import { expect } from 'chai';
import type { Frame, FrameSocket } from '../../../../gateways/ports/frame-sockets.ts';
import { Lane } from '../../../../gateways/relay/realtime/lane.ts';

const socket: FrameSocket = {
  unsentBytes: 0,
  send: () => undefined,
  listen: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
  ping: () => undefined,
  close: () => undefined,
  cut: () => undefined,
};

describe('one direction of a session', () => {
  it('tells of a bug, at once or later, and throws into no socket', async () => {
    const frame: Frame = { data: Buffer.alloc(1), isBinary: true };
    for (const pass of [
      () => {
        throw new Error('a bug');
      },
      () => Promise.reject(new Error('a bug')),
    ]) {
      const told = await new Promise<unknown>((resolve) => new Lane(socket, socket, 1, pass, resolve).push(frame));
      expect(told).to.be.instanceOf(Error).with.property('message', 'a bug');
    }
  });
});
