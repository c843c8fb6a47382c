import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import type { PictureFault, PictureSource } from '../../ports/picture-source.ts';
import { CallRoom, NO_ROOM, type BodyRoom } from '../bodies/body-room.ts';
import type { Call } from '../call.ts';

export interface PictureLimits {
  /** In bytes, of one picture, and of all of a call. */
  readonly bytesEach: number;
  readonly bytesTogether: number;
  /** Pictures of one call. */
  readonly count: number;
  /** Fetched at once for one call. */
  readonly atOnce: number;
}

/** A picture that lies elsewhere, and where in the request it is named. */
interface Named {
  readonly url: string;
  readonly place: string;
}

const MIB = 1024 * 1024;
/** A picture is there as bytes, as the text that a request has of it, and as the bytes of that request. */
const COPIES = 4;

const isRemote = (url: unknown): url is string => typeof url === 'string' && /^https?:/i.test(url);

const urlOf = (part: unknown): unknown => {
  if (!isRecord(part) || part['type'] !== 'image_url') return null;
  const image = part['image_url'];
  return isRecord(image) ? image['url'] : image;
};

const namedIn = ({ messages }: ChatRequest): readonly Named[] => {
  const named: Named[] = [];
  for (const [index, message] of messages.entries()) {
    const content: unknown = isRecord(message) ? message['content'] : null;
    if (!Array.isArray(content)) continue;
    for (const [at, part] of content.entries()) {
      const url = urlOf(part);
      if (isRemote(url)) named.push({ url, place: `messages.${index}.content.${at}` });
    }
  }
  return named;
};

const withPictures = (part: unknown, fetched: ReadonlyMap<string, string | Refusal>): unknown => {
  const url = urlOf(part);
  const data = isRemote(url) ? fetched.get(url) : undefined;
  if (typeof data !== 'string' || !isRecord(part)) return part;
  const image = part['image_url'];
  return { ...part, image_url: isRecord(image) ? { ...image, url: data } : { url: data } };
};

/**
 * Pictures that a call names by their addresses, for upstreams that read them only where they are in the request. Each is fetched once
 * for the call, when the first such upstream is tried, and its fate is the same for all of them.
 */
export class RemotePictures {
  readonly #source: PictureSource;
  readonly #limits: PictureLimits;
  readonly #call: Call;
  readonly #room: CallRoom;
  /** By address: a `data:` URL, or why there is none. */
  readonly #fetched = new Map<string, string | Refusal>();
  #bytes = 0;

  constructor(source: PictureSource, limits: PictureLimits, call: Call, bodies: BodyRoom) {
    this.#source = source;
    this.#limits = limits;
    this.#call = call;
    this.#room = new CallRoom(bodies);
  }

  /** Whether some of them are not here yet. */
  lacks(request: ChatRequest): boolean {
    return namedIn(request).some(({ url }) => !this.#fetched.has(url));
  }

  /** Fetches what is not here yet. A call that is cut short waits for nothing. */
  async gather(request: ChatRequest): Promise<void> {
    const named = namedIn(request).filter(({ url }) => !this.#fetched.has(url));
    if (named.length > 0) await this.#gather(named);
  }

  /** The request with all pictures in it, or why one of them is not. */
  inline(request: ChatRequest): ChatRequest | Refusal {
    const named = namedIn(request);
    if (named.length === 0) return request;
    for (const { url } of named) {
      const fetched = this.#fetched.get(url);
      if (fetched !== undefined && isRefusal(fetched)) return fetched;
    }
    const messages = request.messages.map((message) => {
      const content: unknown = isRecord(message) ? message['content'] : null;
      return isRecord(message) && Array.isArray(content)
        ? { ...message, content: content.map((part: unknown) => withPictures(part, this.#fetched)) }
        : message;
    });
    return { ...request, messages };
  }

  /** The call needs them no more. */
  release(): void {
    this.#fetched.clear();
    this.#room.release();
  }

  async #gather(named: readonly Named[]): Promise<void> {
    const { count, atOnce } = this.#limits;
    const byUrl = new Map(named.toReversed().map((each) => [each.url, each]));
    const [first] = named;
    if (byUrl.size + this.#fetched.size > count && first !== undefined) {
      const fault = `At most ${count} images are fetched for one call; send some of them as data.`;
      for (const { url } of named) this.#fetched.set(url, refuse('image_unavailable', fault, { param: 'messages' }));
      return;
    }
    const abandoned = new AbortController();
    this.#call.running = { interrupt: () => abandoned.abort() };
    const left = [...byUrl.values()].toReversed();
    const work = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await this.#fetch(next, abandoned.signal);
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, left.length) }, work));
  }

  async #fetch({ url, place }: Named, signal: AbortSignal): Promise<void> {
    const { bytesEach, bytesTogether } = this.#limits;
    const found = await this.#source.fetch(url, Math.min(bytesEach, bytesTogether - this.#bytes), signal);
    if (typeof found === 'string') return void this.#fetched.set(url, this.#fault(url, place, found));
    this.#bytes += found.bytes.length;
    if (this.#bytes > bytesTogether) return void this.#fetched.set(url, this.#fault(url, place, 'too_large'));
    if (!this.#room.memory(this.#bytes * COPIES)) return void this.#fetched.set(url, NO_ROOM);
    this.#fetched.set(url, `data:${found.type};base64,${found.bytes.toString('base64')}`);
  }

  #fault(url: string, place: string, fault: PictureFault): Refusal {
    const { bytesEach, bytesTogether } = this.#limits;
    const why: { readonly [F in PictureFault]: string } = {
      address: 'is at an address that is not fetched: take https, the usual port and no password, or send the image as data.',
      unreachable: 'could not be fetched in time. Its address has to be public; or send the image as data.',
      too_large: `is too large: one may have ${bytesEach / MIB} MiB, all together ${bytesTogether / MIB} MiB.`,
      no_picture: 'is no PNG, JPEG, GIF or WebP.',
    };
    return refuse('image_unavailable', `${place}: the image at ${url.slice(0, 200)} ${why[fault]}`, { param: place });
  }
}
