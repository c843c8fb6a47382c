import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { watchForDeath } from './deathwatch.ts';
import { startFaultProxy } from './fault-proxy.ts';

/** A way to a server of this machine that leads through a network of its own, whose cable can be pulled. */
export interface NetworkRoute {
  readonly host: string;
  readonly port: number;
  /** From now on packets vanish, both ways, and neither side is told. */
  pull(): void;
  plug(): void;
  close(): Promise<void>;
}

const run = (...args: readonly string[]): boolean => spawnSync('ip', args, { stdio: 'ignore' }).status === 0;

/** Listens in the network at `$1` and hands on to `$2:$3`, telling nobody more than the sockets do. */
const RELAY = `
const net = require('node:net');
const [on, host, port] = process.argv.slice(1);
net.createServer((client) => {
  const target = net.connect(Number(port), host);
  for (const [from, to] of [[client, target], [target, client]]) {
    from.setNoDelay(true);
    from.on('error', () => to.destroy()).on('close', () => to.destroy()).pipe(to);
  }
}).listen(0, on, function () { process.stdout.write(this.address().port + '\\n'); });
process.stdin.resume().once('end', () => process.exit());
`;

/**
 * Lays such a way to a port of the loopback: clients connect to an address in a network namespace of its own, where a relay hands on to this
 * side of the cable. `undefined` where namespaces cannot be made: that takes root and Linux.
 */
export const routeThroughNamespace = async (target: { readonly port: number }): Promise<NetworkRoute | undefined> => {
  if (process.getuid?.() !== 0) return undefined;
  const id = randomInt(0x1_0000);
  const name = `oblivious-${id.toString(16)}`;
  const [outer, inner] = [`ob${id.toString(16)}o`, `ob${id.toString(16)}i`];
  // Of the range for measurements between networks, which no machine has as its own.
  const net = `198.18.${id >> 8}`;
  const [here, there] = [`${net}.${(id & 0xfc) + 1}`, `${net}.${(id & 0xfc) + 2}`];
  const laid =
    run('netns', 'add', name) &&
    run('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', name) &&
    run('addr', 'add', `${here}/30`, 'dev', outer) &&
    run('link', 'set', outer, 'up') &&
    run('-n', name, 'addr', 'add', `${there}/30`, 'dev', inner) &&
    run('-n', name, 'link', 'set', inner, 'up');
  const watch = watchForDeath('ip netns pids "$1" | xargs -r kill -9; ip link del "$2"; ip netns del "$1"', [name, outer]);
  if (!laid) {
    await watch.fire();
    return undefined;
  }
  const onThisSide = await startFaultProxy({ host: '127.0.0.1', port: target.port, on: here });
  const relay = spawn('ip', ['netns', 'exec', name, process.execPath, '-e', RELAY, there, here, String(onThisSide.port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(relay.stdout, 'data')) as [Buffer];
  return {
    host: there,
    port: Number(line.toString()),
    pull: () => void run('-n', name, 'link', 'set', inner, 'down'),
    plug: () => void run('-n', name, 'link', 'set', inner, 'up'),
    close: async () => {
      relay.kill('SIGKILL');
      await onThisSide.close();
      await watch.fire();
    },
  };
};
