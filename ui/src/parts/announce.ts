import { ref } from 'vue';

/** What the live region of the shell says next. */
export const announcement = ref('');

/** Said politely, once; the same words twice are said twice. */
export const announce = (words: string): void => {
  announcement.value = announcement.value === words ? `${words}\u00A0` : words;
};
