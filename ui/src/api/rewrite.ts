import { ApiFailure, isFailure } from './failure.ts';

const TRIES = 4;

/** What somebody wanted to change is no longer as they saw it. */
export const changedMeanwhile = (): ApiFailure => new ApiFailure('revision_mismatch', '', { status: 412 });

/**
 * Changes one thing of a document that is only ever written whole. It is read just before, so that what others changed beside it stays;
 * written under the revision read, so that nothing of theirs is lost in between; and where somebody came between, all of it once more.
 *
 * @throws {ApiFailure} and whatever `change` throws, such as {@link changedMeanwhile} where the thing itself was changed.
 */
export const rewrite = async <Whole, Answer>(steps: {
  readonly read: () => Promise<{ readonly whole: Whole; readonly revision: number }>;
  readonly change: (whole: Whole) => Whole;
  readonly write: (whole: Whole, revision: number) => Promise<Answer>;
}): Promise<Answer> => {
  for (let tries = 1; ; tries += 1) {
    const { whole, revision } = await steps.read();
    const changed = steps.change(whole);
    try {
      return await steps.write(changed, revision);
    } catch (error) {
      if (!isFailure(error) || error.status !== 412 || tries === TRIES) throw error;
    }
  }
};
