import { channelKeyContext } from '../../commands/channels/channel-secrets.ts';
import type { SecretBox } from '../../commands/ports/secret-box.ts';
import type { Sealed } from '../../schemas/sealed.ts';
import type { DirectoryChannelKey } from '../ports/directory.ts';

/** Opened keys that are kept; beyond this they are all let go and opened anew as they are needed. */
const MOST_KEPT = 10_000;

/** Channels' upstream keys, opened once and kept in memory: decrypting for each call would cost more than the call. */
export class ChannelSecrets {
  readonly #box: Pick<SecretBox, 'open'>;
  readonly #opened = new Map<Sealed, string>();

  constructor(box: Pick<SecretBox, 'open'>) {
    this.#box = box;
  }

  /** Throws where the envelope does not open: the master key is another, or the event was tampered with. */
  open({ keyId, secret }: DirectoryChannelKey): string {
    let opened = this.#opened.get(secret);
    if (opened === undefined) {
      opened = this.#box.open(secret, channelKeyContext(keyId));
      if (this.#opened.size >= MOST_KEPT) this.#opened.clear();
      this.#opened.set(secret, opened);
    }
    return opened;
  }
}
