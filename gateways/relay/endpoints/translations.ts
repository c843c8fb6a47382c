import { soundForm } from './sound-form.ts';

/** What is said, in English. */
export const translations = soundForm('translations', '/audio/translations');
