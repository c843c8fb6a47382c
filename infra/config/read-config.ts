import { parseEgressPolicy } from '../egress/policy.ts';
import { parseRedisAddress } from '../redis/redis-address.ts';
import { settings, type Config, type SettingName } from '../../schemas/config.ts';
import { ROLES } from '../../schemas/roles.ts';

export type ConfigResult = { readonly config: Config } | { readonly mistakes: readonly string[] };

const names = Object.keys(settings) as SettingName[];

/** Reads the environment. Every wrong value is one line that names the variable and says what it takes. */
export const readConfig = (environment: NodeJS.ProcessEnv): ConfigResult => {
  const config: Record<string, unknown> = {};
  const mistakes: string[] = [];
  for (const name of names) {
    const value = environment[name];
    const parsed = settings[name].schema.safeParse(value === '' ? undefined : value);
    if (parsed.success) config[name] = parsed.data;
    else mistakes.push(`${name}: ${parsed.error.issues.map(({ message }) => message).join('; ')}. ${settings[name].about}`);
  }
  for (const name of ['OBLIVIOUS_ALLOW_PRIVATE_UPSTREAMS', 'OBLIVIOUS_ALLOW_PRIVATE_HOOKS', 'OBLIVIOUS_ALLOW_PRIVATE_IMAGES'] as const) {
    const allowed = config[name];
    if (typeof allowed === 'string' && parseEgressPolicy(allowed) === null)
      mistakes.push(`${name}: expected none, loopback, private, all, or CIDR ranges with commas between them.`);
  }
  const { REDIS_URL: redis } = config;
  if (typeof redis === 'string' && parseRedisAddress(redis) === null) {
    mistakes.push(
      'REDIS_URL: expected redis://[user:password@]host[:port][/database], redis+sentinel://…host,host/master or redis+cluster://…host,host.',
    );
  }
  if (config['EVENTSTORE_URL'] !== undefined && (environment['DATABASE_URL'] ?? '') === '') {
    mistakes.push('DATABASE_URL: must be set beside EVENTSTORE_URL: the read models are kept in PostgreSQL.');
  }
  if (config['KAFKA_BROKERS'] !== undefined && (environment['DATABASE_URL'] ?? '') === '') {
    mistakes.push('DATABASE_URL: must be set beside KAFKA_BROKERS: who hands events on is settled in PostgreSQL.');
  }
  const login = ['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'] as const;
  const absent = login.filter((name) => (environment[name] ?? '') === '');
  if (absent.length > 0 && absent.length < login.length) {
    for (const name of absent) mistakes.push(`${name}: the three KAFKA_SASL_ settings go together, and it is not set.`);
  }
  const { OBLIVIOUS_ROLES: named } = config;
  if (Array.isArray(named) && named.length < ROLES.length && named.includes('bridge') && config['KAFKA_BROKERS'] === undefined) {
    mistakes.push('KAFKA_BROKERS: must be set for the role bridge, which hands events on to them.');
  }
  if (config['DATABASE_READ_URL'] !== undefined && (environment['DATABASE_URL'] ?? '') === '') {
    mistakes.push('DATABASE_READ_URL: is of no use without DATABASE_URL, whose replica it names.');
  }
  if (config['OBLIVIOUS_NOTIFY_WEBHOOK_URL'] !== undefined && (environment['OBLIVIOUS_NOTIFY_WEBHOOK_SECRET'] ?? '') === '') {
    mistakes.push('OBLIVIOUS_NOTIFY_WEBHOOK_SECRET: must be set beside OBLIVIOUS_NOTIFY_WEBHOOK_URL: what is posted is signed with it.');
  }
  if ((environment['DATABASE_URL'] ?? '') === '') {
    const { OBLIVIOUS_ROLES: roles, OBLIVIOUS_PROCESSES: processes } = config;
    if (Array.isArray(roles) && roles.length < ROLES.length)
      mistakes.push('OBLIVIOUS_ROLES: the embedded profile does everything in one process. Set DATABASE_URL to share the work out.');
    if (typeof processes === 'number' && processes > 1)
      mistakes.push('OBLIVIOUS_PROCESSES: the embedded profile is one process. Set DATABASE_URL to run more.');
  }
  for (const name of Object.keys(environment)) {
    if (name.startsWith('OBLIVIOUS_') && !(name in settings))
      mistakes.push(`${name}: there is no such setting. \`oblivious config\` lists them.`);
  }
  return mistakes.length > 0 ? { mistakes } : { config: config as Config };
};

export interface ShownSetting {
  readonly name: SettingName;
  readonly value: string;
  readonly given: boolean;
  readonly about: string;
}

/** What is in force, for people to read: secrets are masked, and so are passwords inside URLs. */
export const showConfig = (config: Config, environment: NodeJS.ProcessEnv): readonly ShownSetting[] =>
  names.map((name) => {
    const value = config[name];
    const given = environment[name] !== undefined && environment[name] !== '';
    return {
      name,
      value: value === undefined ? '' : settings[name].secret ? mask(name, String(value)) : shown(name, environment[name], value),
      given,
      about: settings[name].about,
    };
  });

/** Given in dollars, kept in nano-dollars. */
const DOLLARS: ReadonlySet<SettingName> = new Set(['OBLIVIOUS_TRIAL_CREDIT', 'OBLIVIOUS_LOW_BALANCE']);

const shown = (name: SettingName, given: string | undefined, value: unknown): string => {
  if (given !== undefined && given !== '') return given;
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return DOLLARS.has(name) ? (Number(value) / 1e9).toString() : String(value);
};

/** Secret in part: where they lead is shown. */
const ADDRESSES: ReadonlySet<SettingName> = new Set([
  'DATABASE_URL',
  'DATABASE_READ_URL',
  'EVENTSTORE_URL',
  'REDIS_URL',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
]);

const MASKED = '••••••';

const mask = (name: SettingName, value: string): string => {
  // Whoever knows the whole of it may post there: many receivers have their secret in the path.
  if (name === 'OBLIVIOUS_NOTIFY_WEBHOOK_URL') return `${new URL(value).origin}/${MASKED}`;
  // A token with a colon in it is a URL to the parser, without a password.
  if (!ADDRESSES.has(name)) return MASKED;
  if (!URL.canParse(value)) {
    // Several hosts are no URL to this parser; the shape was checked when the configuration was read.
    const shape = /^(rediss?\+[a-z]+:\/\/)(?:[^@]*@)?([^@?]*)/.exec(value);
    return shape === null ? MASKED : shape.slice(1).join('');
  }
  const url = new URL(value);
  if (url.password !== '') url.password = '******';
  for (const parameter of [...url.searchParams.keys()])
    if (/pass|key|secret|token/i.test(parameter)) url.searchParams.set(parameter, '******');
  return url.toString();
};
