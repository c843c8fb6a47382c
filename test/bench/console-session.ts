import type { z } from 'zod';
import { SessionView } from '../../schemas/http/session.ts';

/** A signed-in administrator of a running server. */
export interface ConsoleSession {
  readonly userId: string;
  /** `POST /api…`; throws on anything but success. */
  post(path: string, body: object): Promise<void>;
}

const refused = async (path: string, response: Response): Promise<Error> =>
  new Error(`POST ${path}: ${response.status} ${await response.text()}`);

export const signIn = async (origin: string, email: string, password: string): Promise<ConsoleSession> => {
  const send = (path: string, body: object, headers: Record<string, string>): Promise<Response> =>
    fetch(`${origin}/api${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const signedIn = await send('/session', { email, password }, {});
  if (!signedIn.ok) throw await refused('/session', signedIn);
  const session: z.infer<typeof SessionView> = SessionView.parse(await signedIn.json());
  if (!session.signedIn) throw new Error('signing in answered that nobody is signed in');
  const cookie = signedIn.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  return {
    userId: session.user.userId,
    post: async (path, body) => {
      const response = await send(path, body, { cookie, 'x-csrf-token': session.csrfToken });
      if (!response.ok) throw await refused(path, response);
    },
  };
};
