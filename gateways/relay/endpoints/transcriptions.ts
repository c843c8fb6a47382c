import { soundForm } from './sound-form.ts';

/** What is said, in the words in which it is. */
export const transcriptions = soundForm('transcriptions', '/audio/transcriptions');
