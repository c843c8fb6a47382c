import { expect } from 'chai';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';

/** The answer, which must not be a refusal. */
export const done = <Answer>(answer: Answer | Refusal): Exclude<Answer, Refusal> => {
  if (isRefusal(answer)) expect.fail(`refused: ${answer.refused}: ${answer.message}`);
  return answer as Exclude<Answer, Refusal>;
};

/** The refusal, which there must be. */
export const refused = (answer: unknown): Refusal => (isRefusal(answer) ? answer : expect.fail('expected a refusal'));
