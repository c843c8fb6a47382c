import { errorTable } from '../../../../schemas/errors.ts';
import account from '../../features/account/locales/en.json';
import exports from '../../features/exports/locales/en.json';
import keys from '../../features/keys/locales/en.json';
import ledger from '../../features/ledger/locales/en.json';
import notifications from '../../features/notifications/locales/en.json';
import overview from '../../features/overview/locales/en.json';
import requests from '../../features/requests/locales/en.json';
import session from '../../features/session/locales/en.json';
import users from '../../features/users/locales/en.json';
import parts from '../../parts/locales/en.json';
import shell from '../shell/locales/en.json';
import own from './errors/en.json';

/** The error table is written in English, so its own sentences serve. */
const fromTable = Object.fromEntries(Object.entries(errorTable).map(([code, row]) => [code, row.title]));

/** What every page needs. The words of rooms that few enter come with the room, see `room-words.ts`. */
export const messages = {
  account,
  errors: { ...fromTable, ...own },
  exports,
  keys,
  ledger,
  notifications,
  overview,
  parts,
  requests,
  session,
  shell,
  users,
};
