import { isRecord, textOf } from '../../../domain/dialects/loose-json.ts';

/** What an error in OpenAI's form says; a sentence of ours where it says nothing. */
export const saidByError = (error: unknown): string => {
  const message = isRecord(error) ? textOf(error['message']) : textOf(error);
  return message === '' ? 'The upstream refused the request and did not say why.' : message;
};
