/** A relay on money that only remembers, run as a child process: told where its upstreams are, it tells where it is, and what CPU it used whenever asked. */
import { CLAUDE, GEMINI, OPENAI, type ToRelay } from './of-conversion.ts';
import { channel, chatPrice, startRelay } from '../../gateways/relay/relay-harness.ts';

process.on('message', (message: ToRelay) => {
  if (message.kind === 'used') {
    const { user, system } = process.cpuUsage();
    process.send?.({ micros: user + system });
    return;
  }
  void (async () => {
    const relay = await startRelay();
    relay.directory.channels = [
      channel(`${message.upstream}/v1`, { models: [OPENAI] }),
      channel(`${message.upstream}/v1`, { provider: 'anthropic', models: [CLAUDE] }),
      channel(`${message.upstream}/v1beta`, { provider: 'gemini', models: [GEMINI] }),
    ];
    for (const model of [OPENAI, CLAUDE, GEMINI]) relay.directory.prices.set(model, chatPrice(model));
    process.send?.({ url: relay.url });
  })();
});
process.on('disconnect', () => process.exit());
