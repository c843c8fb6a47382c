import { useI18n } from 'vue-i18n';
import { errorTable } from '../../../schemas/errors.ts';
import { isFailure, type ApiFailure } from '../api/failure.ts';
import { toastTrouble } from './toasts.ts';

export interface Trouble {
  /** The sentence for this kind of failure, in the reader's language. */
  readonly title: string;
  /** What the server said beyond that sentence. */
  readonly detail: string | null;
  readonly requestId: string | null;
}

/** Failures in words. */
export const useTrouble = (): { readonly wordsFor: (error: unknown) => Trouble; readonly tell: (what: string, error: unknown) => void } => {
  const { t } = useI18n();
  const detailOf = (failure: ApiFailure): string | null => {
    if (failure.code === 'unreachable' || failure.message === '') return null;
    return failure.code !== 'unreadable' && failure.message === errorTable[failure.code].title ? null : failure.message;
  };
  const wordsFor = (error: unknown): Trouble =>
    isFailure(error)
      ? { title: t(`errors.${error.code}`), detail: detailOf(error), requestId: error.requestId }
      : { title: t('errors.internal'), detail: error instanceof Error ? error.message : String(error), requestId: null };
  const tell = (what: string, error: unknown): void => {
    const words = wordsFor(error);
    toastTrouble(what, [words.detail ?? words.title, words.requestId].filter((part) => part !== null).join(' · '));
  };
  return { wordsFor, tell };
};
