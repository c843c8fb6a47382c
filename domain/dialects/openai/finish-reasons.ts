import type { FinishReason } from '../../providers/provider-quirks.ts';

// Within a JSON text quotes are escaped, so what looks like the member here is the member.
const MEMBER = /("finish_reason"\s*:\s*)"([^"\\]*)"/g;

/** The same answer, or event of a stream, with a provider's own reasons said in OpenAI's words. */
export const withKnownReasons = (text: string, reasons: Readonly<Record<string, FinishReason>>): string =>
  text.replace(MEMBER, (whole, before: string, reason: string) =>
    Object.hasOwn(reasons, reason) ? `${before}"${reasons[reason] as string}"` : whole,
  );
