import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import * as api from '../api/session.ts';

/** Who is signed in here. `unknown` until the server was asked. */
export const useSession = defineStore('session', () => {
  const session = ref<api.Session | null>(null);
  /** Why it is not known who is signed in. */
  const failure = shallowRef<unknown>(null);
  const user = computed<api.SessionUser | null>(() => (session.value?.signedIn === true ? session.value.user : null));
  const isAdmin = computed(() => user.value?.role === 'admin');

  /** Asks once; later callers get the answer at hand. */
  const ensure = async (): Promise<api.Session> => {
    try {
      return (session.value ??= await api.readSession());
    } catch (error) {
      failure.value = error;
      throw error;
    }
  };
  const signIn = async (email: string, password: string): Promise<void> => {
    session.value = await api.signIn({ email, password });
  };
  const signOut = async (): Promise<void> => {
    session.value = await api.signOut();
  };
  const forget = (): void => {
    session.value = { signedIn: false };
  };
  const refresh = async (): Promise<void> => {
    session.value = await api.readSession();
  };
  return { session, failure, user, isAdmin, ensure, signIn, signOut, forget, refresh };
});
