import { computed, ref, type ComputedRef, type Ref } from 'vue';
import { isFailure, type ApiFailure } from '../api/failure.ts';
import { useAction, type ActionOptions } from './use-action.ts';

/** What is wrong with the fields of a form, by field. */
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

/** The server's sentence beside the field that it is about. */
export const besideField =
  <Field extends string>(fieldOf: (param: string | null) => Field | null) =>
  (failure: ApiFailure): FieldErrors<Field> => {
    const field = fieldOf(failure.param);
    return field === null ? {} : ({ [field]: failure.message } as FieldErrors<Field>);
  };

/** What is sent of a form and what comes of it. `objections`: which of its fields a refusal is about. */
export const useForm = <Field extends string, Given extends readonly unknown[], Answer>(
  options: Omit<ActionOptions<Given, Answer>, 'of' | 'failed'> & { readonly objections?: (failure: ApiFailure) => FieldErrors<Field> },
): Form<Field, Given> => {
  const errors = ref({}) as Ref<FieldErrors<Field>>;
  const action = useAction({
    ...options,
    failed: (reason) => (errors.value = (isFailure(reason) ? options.objections?.(reason) : undefined) ?? {}),
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
