import { computed, ref, type ComputedRef, type Ref } from 'vue';
import { isFailure, type ApiFailure } from '../api/failure.ts';
import { useAction, type ActionOptions } from './use-action.ts';
import { useTrouble } from './use-trouble.ts';

/** What is wrong with the fields of a form, by field, in sentences. */
export type FieldErrors<Field extends string> = Partial<Record<Field, string>>;

export interface Form<Field extends string, Given extends readonly unknown[]> {
  /** Found before it was sent, or by the server. */
  readonly errors: Ref<FieldErrors<Field>>;
  /** Why it was refused, where that is about none of its fields. */
  readonly trouble: ComputedRef<unknown>;
  readonly busy: ComputedRef<boolean>;
  /** Shows what is wrong, and that alone, or nothing any more. */
  readonly object: (errors: FieldErrors<Field>) => void;
  /** `true` when it was done. */
  readonly send: (...given: Given) => Promise<boolean>;
}

/** What the reading of a draft found, as sentences. */
export const inWords = <Field extends string, Code extends string>(
  found: Partial<Record<Field, Code>>,
  sentence: (code: Code) => string,
): FieldErrors<Field> =>
  Object.fromEntries(
    Object.entries<Code | undefined>(found).flatMap(([field, code]) => (code === undefined ? [] : [[field, sentence(code)]])),
  ) as FieldErrors<Field>;

/** The server's objection beside the field that it is about. */
export const besideField =
  <Field extends string>(fieldOf: (param: string | null) => Field | null) =>
  ({ param }: ApiFailure, sentence: string): FieldErrors<Field> => {
    const field = fieldOf(param);
    return field === null ? {} : ({ [field]: sentence } as FieldErrors<Field>);
  };

/** What is sent of a form and what comes of it. `objections`: which of its fields a refusal is about, and what it says to the reader. */
export const useForm = <Field extends string, Given extends readonly unknown[], Answer>(
  options: Omit<ActionOptions<Given, Answer>, 'of' | 'failed'> & {
    readonly objections?: (failure: ApiFailure, sentence: string) => FieldErrors<Field>;
  },
): Form<Field, Given> => {
  const errors = ref({}) as Ref<FieldErrors<Field>>;
  const { sentenceFor } = useTrouble();
  const action = useAction({
    ...options,
    failed: (reason) => (errors.value = (isFailure(reason) ? options.objections?.(reason, sentenceFor(reason)) : undefined) ?? {}),
  });
  return {
    errors,
    trouble: computed(() => (Object.keys(errors.value).length === 0 ? action.error.value : null)),
    busy: action.busy,
    object: (found) => {
      action.reset();
      errors.value = found;
    },
    send: action.run,
  };
};
