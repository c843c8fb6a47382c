import { ErrorBody } from '../../schemas/openai/error-body.ts';

/** What an upstream says of an error in OpenAI's form; nothing where it says it in another. */
export const errorOf = (body: Buffer): { readonly code: string | null; readonly type: string | null } => {
  try {
    const parsed = ErrorBody.safeParse(JSON.parse(body.toString('utf8')));
    if (!parsed.success) return { code: null, type: null };
    const { code, type } = parsed.data.error;
    return { code: code === null || code === undefined ? null : String(code), type: type ?? null };
  } catch {
    return { code: null, type: null };
  }
};
