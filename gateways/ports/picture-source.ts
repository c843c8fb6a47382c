import type { PictureType } from '../../domain/tokens/picture-size.ts';

export interface FoundPicture {
  /** By its first bytes, whatever it was called. */
  readonly type: PictureType;
  readonly bytes: Buffer;
}

/**
 * Why there is no picture.
 * - `address`: not one that is fetched, such as one of another scheme or port.
 * - `unreachable`: nothing came in time, or an error did. Also where the address leads inside: who asks must not learn the difference.
 * - `too_large`: more than was allowed.
 * - `no_picture`: something came that is none.
 */
export type PictureFault = 'address' | 'unreachable' | 'too_large' | 'no_picture';

/** Fetches pictures from addresses that callers name. */
export interface PictureSource {
  /** At most `most` bytes. */
  fetch(address: string, most: number, signal: AbortSignal): Promise<FoundPicture | PictureFault>;
}
