import type { NewChannelKey } from '../../domain/channel/channel.ts';
import { ChannelKeyId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import { derivedId } from '../derived-id.ts';
import type { SecretBox } from '../ports/secret-box.ts';

/** What a sealed upstream credential is bound to. */
export const channelKeyContext = (keyId: ChannelKeyId): string => `channel-key:${keyId}`;

/** Too short a secret shows nothing of itself. */
const SHORTEST_HINTED = 12;

/** Credentials as they go into events. */
export const sealSecrets = (secretBox: SecretBox, secrets: readonly string[], context: CommandContext): readonly NewChannelKey[] =>
  secrets.map((secret, index) => {
    const keyId = ChannelKeyId.parse(derivedId('chk', context.commandId, String(index)));
    return {
      keyId,
      secret: secretBox.seal(secret, channelKeyContext(keyId)),
      hint: secret.length < SHORTEST_HINTED ? '…' : `…${secret.slice(-4)}`,
    };
  });
