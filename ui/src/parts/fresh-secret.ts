import { ref } from 'vue';

/** The API key made last in this tab, in memory only, so that samples can be pasted as they are. */
export const freshSecret = ref<string | null>(null);
