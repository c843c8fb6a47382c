import { once } from 'node:events';
import { connect } from 'node:net';
import type { Service } from './service.ts';

/** Redis, keeping a log of what is written on disk. */
export const redisService: Service = {
  name: 'redis',
  title: 'Redis',
  ports: [{ variable: 'SERVICES_REDIS_PORT', usual: 16_379 }],
  stopSignal: 'SIGTERM',
  prepare: ({ folder, ports }) => ({
    file: 'redis-server',
    args: ['--port', String(ports[0]), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--save', '', '--daemonize', 'no'],
  }),
  check: async ({ ports }) => {
    const socket = connect({ host: '127.0.0.1', port: ports[0] as number, timeout: 5_000 });
    socket.once('timeout', () => socket.destroy(new Error('no answer')));
    try {
      await once(socket, 'connect');
      socket.write('PING\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      if (!answer.toString().startsWith('+PONG')) throw new Error(answer.toString().trim());
    } finally {
      socket.destroy();
    }
  },
};
