import account from '../../features/account/locales/zh-CN.json';
import exports from '../../features/exports/locales/zh-CN.json';
import keys from '../../features/keys/locales/zh-CN.json';
import ledger from '../../features/ledger/locales/zh-CN.json';
import notifications from '../../features/notifications/locales/zh-CN.json';
import overview from '../../features/overview/locales/zh-CN.json';
import requests from '../../features/requests/locales/zh-CN.json';
import session from '../../features/session/locales/zh-CN.json';
import users from '../../features/users/locales/zh-CN.json';
import parts from '../../parts/locales/zh-CN.json';
import shell from '../shell/locales/zh-CN.json';
import errors from './errors/zh-CN.json';

export const messages = {
  account,
  errors,
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
