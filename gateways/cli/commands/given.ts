import type { z } from 'zod';
import { fromDollarText } from '../../../domain/ledger/money.ts';
import type { ApiClient } from '../api-client.ts';
import type { Run } from '../command.ts';
import { EXIT, fail, type Failure } from '../failure.ts';

/** An argument that the command said it needs. */
export const argument = ({ args }: Run, name: string): string => args[name] ?? '';

/** Words with commas between them; absent when the option is. */
export const wordsOf = (text: string | undefined): string[] | undefined =>
  text
    ?.split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

/** Dollars as people write them, as nano-dollars on the wire. */
export const nanosOf = (dollars: string): string | Failure => {
  const amount = fromDollarText(dollars.replace(/^\$/, ''));
  return amount === null
    ? fail(EXIT.usage, `${dollars} is no amount in dollars. Write it like 5 or 0.25, with at most nine decimals.`)
    : amount.toString();
};

/** What is wrong with a document that was given, with its place where it is not the whole of it. */
export const mistakeIn = ({ issues: [issue] }: z.ZodError): string => {
  const place = issue?.path.join('.') ?? '';
  return `${place === '' ? '' : `${place}: `}${issue?.message ?? 'not valid'}.`;
};

/** A moment: an instant as it is, a date as its beginning in UTC. */
export const instantOf = (text: string): string | Failure => {
  const parsed = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
  return Number.isNaN(parsed)
    ? fail(EXIT.usage, `${text} is no time. Write it like 2026-08-01 or 2026-08-01T12:00:00Z.`)
    : new Date(parsed).toISOString();
};

/** What `read` makes of an option; `undefined` where it was not given. */
export const optional = <Value>({ options }: Run, name: string, read: (text: string) => Value | Failure): Value | Failure | undefined => {
  const text = options[name];
  return text === undefined ? undefined : read(text);
};

/** A user by id, or by e-mail address; also one that was registered just before. */
export const userIdIn = async (api: ApiClient, text: string): Promise<string | Failure> => {
  if (!text.includes('@')) return text;
  const log = await api.call('listEvents', { query: { limit: '1' } });
  if ('failed' in log) return log;
  const page = await api.call('listUsers', { query: { search: text, limit: '200', after: log.head } });
  if ('failed' in page) return page;
  const user = page.rows.find(({ email }) => email.toLowerCase() === text.toLowerCase());
  return user?.userId ?? fail(EXIT.refused, `Nobody has the address ${text}.`);
};
