import { isRecord } from '../dialects/loose-json.ts';

/** What is left of an account at a provider, as the provider tells it. */
export interface ReportedBalance {
  /** Of ISO 4217. */
  readonly currency: string;
  /** A decimal number. It may be below zero. */
  readonly amount: string;
}

/** How a provider is asked for what is left. */
export interface BalanceQuestion {
  /** All of them are asked, by GET. */
  readonly paths: readonly string[];
  /** Paths stand behind the host, or behind the channel’s base URL. */
  readonly behind: 'host' | 'base';
  /** `null`: the answers are none that can be read. */
  read(answers: readonly unknown[]): ReportedBalance | null;
}

const within = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((at, name) => (isRecord(at) ? at[name] : undefined), value);

const DECIMAL = /^-?\d{1,15}(?:\.\d{1,12})?$/;

/** Numbers come as such, or as texts. */
const decimal = (value: unknown): string | null => {
  const text = typeof value === 'number' && Number.isFinite(value) ? String(Math.round(value * 1e6) / 1e6) : value;
  return typeof text === 'string' && DECIMAL.test(text) ? text : null;
};

const told = (currency: string, value: unknown): ReportedBalance | null => {
  const amount = decimal(value);
  return amount === null ? null : { currency, amount };
};

const difference = (all: unknown, used: unknown): number | null =>
  typeof all === 'number' && typeof used === 'number' ? all - used : null;

const moonshot = (currency: string): BalanceQuestion => ({
  paths: ['/v1/users/me/balance'],
  behind: 'host',
  read: ([answer]) => told(currency, within(answer, 'data', 'available_balance')),
});

const siliconflow = (currency: string): BalanceQuestion => ({
  paths: ['/v1/user/info'],
  behind: 'host',
  read: ([answer]) => told(currency, within(answer, 'data', 'totalBalance') ?? within(answer, 'data', 'balance')),
});

/** What OpenAI once had, and gateways of every make still have: a limit in dollars, and what was used of it in hundredths. */
const BILLING: BalanceQuestion = {
  paths: ['/dashboard/billing/subscription', '/dashboard/billing/usage'],
  behind: 'base',
  read: ([subscription, usage]) => {
    const used = within(usage, 'total_usage');
    return told('USD', difference(within(subscription, 'hard_limit_usd'), typeof used === 'number' ? used / 100 : null));
  },
};

const FRACTION = 12;

/** A decimal number in units of its twelfth place. */
const scaled = (decimalText: string): bigint => {
  const [whole = '0', fraction = ''] = decimalText.replace('-', '').split('.');
  const size = BigInt(whole + fraction.padEnd(FRACTION, '0'));
  return decimalText.startsWith('-') ? -size : size;
};

/** Whether one decimal number is below another. */
export const isLess = (one: string, other: string): boolean => scaled(one) < scaled(other);

const QUESTIONS: ReadonlyMap<string, BalanceQuestion> = new Map<string, BalanceQuestion>([
  [
    'deepseek',
    {
      paths: ['/user/balance'],
      behind: 'host',
      read: ([answer]) => {
        const infos = within(answer, 'balance_infos');
        const first: unknown = Array.isArray(infos) ? infos[0] : null;
        const currency = within(first, 'currency');
        return typeof currency === 'string' && /^[A-Z]{3}$/.test(currency) ? told(currency, within(first, 'total_balance')) : null;
      },
    },
  ],
  ['moonshot-intl', moonshot('USD')],
  ['moonshot-cn', moonshot('CNY')],
  [
    'openrouter',
    {
      paths: ['/credits'],
      behind: 'base',
      read: ([answer]) => told('USD', difference(within(answer, 'data', 'total_credits'), within(answer, 'data', 'total_usage'))),
    },
  ],
  ['siliconflow-cn', siliconflow('CNY')],
  ['siliconflow-intl', siliconflow('USD')],
  ['openai-compatible', BILLING],
]);

/** How this provider is asked; `null`: it cannot be. */
export const balanceQuestion = (provider: string): BalanceQuestion | null => QUESTIONS.get(provider) ?? null;
