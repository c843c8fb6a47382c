import { useI18n } from 'vue-i18n';
import { errorTable } from '../../../schemas/errors.ts';
import { isFailure, type FailureCode } from '../api/failure.ts';
import { toastTrouble } from './toasts.ts';

export interface Trouble {
  /** The sentence for this kind of failure, in the reader's language. */
  readonly title: string;
  /** What the server said beyond that sentence. */
  readonly detail: string | null;
  readonly requestId: string | null;
}

export interface TroubleWords {
  readonly wordsFor: (error: unknown) => Trouble;
  /** All of it where there is room for one sentence only. */
  readonly sentenceFor: (error: unknown) => string;
  /** The same for one of many, of which the answer to all tells what became of it. */
  readonly sentenceOf: (code: FailureCode, message: string) => string;
  readonly tell: (what: string, error: unknown) => void;
}

/** Failures in words. */
export const useTrouble = (): TroubleWords => {
  const { t, locale } = useI18n();
  const detailOf = (code: FailureCode, message: string): string | null => {
    if (code === 'unreachable' || message === '') return null;
    return code !== 'unreadable' && message === errorTable[code].title ? null : message;
  };
  const wordsFor = (error: unknown): Trouble =>
    isFailure(error)
      ? { title: t(`errors.${error.code}`), detail: detailOf(error.code, error.message), requestId: error.requestId }
      : { title: t('errors.internal'), detail: error instanceof Error ? error.message : String(error), requestId: null };
  // The server speaks English: whoever reads that needs no more than what it said, others are told in their language what it is about.
  const oneOf = ({ title, detail }: Pick<Trouble, 'title' | 'detail'>): string =>
    detail === null ? title : locale.value === 'en' ? detail : `${title} ${detail}`;
  const sentenceFor = (error: unknown): string => oneOf(wordsFor(error));
  return {
    wordsFor,
    sentenceFor,
    sentenceOf: (code, message) => oneOf({ title: t(`errors.${code}`), detail: detailOf(code, message) }),
    tell: (what, error) => toastTrouble(what, [sentenceFor(error), wordsFor(error).requestId].filter((part) => part !== null).join(' · ')),
  };
};
