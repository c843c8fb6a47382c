import { z } from 'zod';
import { fromDollarTextSchema } from './dollar-text.ts';
import { rolesSchema } from './roles.ts';

const flag = z.enum(['on', 'off']).transform((value) => value === 'on');
const seconds = z.coerce.number().int().positive().max(86_400);
const count = z.coerce.number().int().positive().max(10_000_000);
/** A body is a string at least once, and strings end at half a gibibyte. */
const bodyBytes = z.coerce.number().int().positive().max(268_435_456);
const bytes = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);

/** One setting: its environment variable, what it takes, what it is when absent, and what it is for. */
const setting = <Schema extends z.ZodType>(schema: Schema, about: string, { secret = false }: { secret?: boolean } = {}) => ({
  schema,
  about,
  secret,
});

/**
 * Everything that can be configured, all of it through the environment. The key is the variable's name; `about` is what
 * `oblivious config` says of it.
 */
export const settings = {
  PORT: setting(z.coerce.number().int().min(0).max(65_535).default(3000), 'Port to listen on. 0 takes any free one.'),
  HOST: setting(z.string().min(1).default('127.0.0.1'), 'Address to listen on. 0.0.0.0 opens it to the network.'),
  OBLIVIOUS_HOME: setting(
    z.string().min(1).default('.oblivious'),
    'Data directory: event log, read models, master key, first credentials.',
  ),
  DATABASE_URL: setting(
    z.url({ protocol: /^postgres(ql)?$/, error: 'expected postgres://' }).optional(),
    'PostgreSQL for the event log and the read models. Absent: the embedded profile.',
    { secret: true },
  ),
  DATABASE_READ_URL: setting(
    z.url({ protocol: /^postgres(ql)?$/, error: 'expected postgres://' }).optional(),
    'A replica of that PostgreSQL for the console to read from, as long as it is near enough. Absent: the console reads where everybody does.',
    { secret: true },
  ),
  OBLIVIOUS_DATABASE_POOL: setting(
    z.coerce.number().int().min(1).max(100).default(4),
    'Most connections to PostgreSQL with which this process reads read models, those of the console aside.',
  ),
  OBLIVIOUS_CONSOLE_POOL: setting(
    z.coerce.number().int().min(1).max(100).default(4),
    'Most connections to PostgreSQL with which this process reads for the console; as many again to a replica.',
  ),
  OBLIVIOUS_LOG_POOL: setting(
    z.coerce.number().int().min(1).max(100).default(3),
    'Most connections with which this process reads the event log in PostgreSQL, beside one that appends and one that listens.',
  ),
  OBLIVIOUS_USAGE_RETENTION_DAYS: setting(
    z.coerce.number().int().min(1).max(36_500).optional(),
    'How many days the request log and the hourly usage are kept; whole months go. Absent: for ever.',
  ),
  EVENTSTORE_URL: setting(
    z
      .string()
      .regex(/^esdb(\+discover)?:\/\/[^\s]+$/, 'expected esdb:// or esdb+discover://')
      .optional(),
    'EventStoreDB for the event log; the read models stay in the PostgreSQL of DATABASE_URL, which must be set beside it.',
    { secret: true },
  ),
  REDIS_URL: setting(
    z
      .string()
      .regex(
        /^rediss?(\+(sentinel|cluster))?:\/\/[^\s]+$/,
        'expected redis://, redis+sentinel:// or redis+cluster://, or the same with rediss',
      )
      .optional(),
    'Redis, by which several processes share limits and caches. Absent: each process has its own.',
    { secret: true },
  ),
  REDIS_CA: setting(
    z.string().min(1).optional(),
    'File with the certificates that vouch for Redis, where its address begins with rediss. Absent: those that Node trusts.',
  ),
  OBLIVIOUS_REDIS_PREFIX: setting(
    z
      .string()
      .regex(/^[A-Za-z0-9:._-]{1,40}$/, 'expected up to 40 letters, digits and :._-')
      .default('oblivious:'),
    'What every key in Redis begins with. Installations that share a Redis need different ones.',
  ),
  OBLIVIOUS_REDIS_MS: setting(
    z.coerce.number().int().min(1).max(10_000).default(20),
    'How long one command to Redis may take, in milliseconds, before it is done without.',
  ),
  KAFKA_BROKERS: setting(
    z
      .string()
      .regex(/^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$/, 'expected host:port, with commas between several')
      .optional(),
    'Kafka brokers to hand events on to. Wants DATABASE_URL beside it.',
  ),
  KAFKA_SSL: setting(flag.default(false), 'Speak TLS with the Kafka brokers: on or off.'),
  KAFKA_SSL_CA: setting(
    z.string().min(1).optional(),
    'File with the certificates that vouch for the brokers. Absent: those that Node trusts.',
  ),
  KAFKA_SASL_MECHANISM: setting(
    z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
    'How to log in to the Kafka brokers. Absent: not at all.',
  ),
  KAFKA_SASL_USERNAME: setting(z.string().min(1).optional(), 'Name to log in to the Kafka brokers with.'),
  KAFKA_SASL_PASSWORD: setting(z.string().min(1).optional(), 'Password to log in to the Kafka brokers with.', { secret: true }),
  KAFKA_TOPIC_PREFIX: setting(
    z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,100}$/, 'expected letters, digits, dots, dashes and underscores')
      .default('oblivious.'),
    'How the names of our topics, groups and transactional ids in Kafka begin.',
  ),
  KAFKA_PARTITIONS: setting(
    z.coerce.number().int().positive().max(10_000).default(12),
    'Partitions that the topic of events is created with.',
  ),
  KAFKA_REPLICAS: setting(
    z.coerce.number().int().positive().max(9).optional(),
    'Brokers that hold each record of topics that are created. Absent: three, or as many as there are.',
  ),
  KAFKA_RETENTION_HOURS: setting(
    z.coerce.number().int().positive().max(876_000).default(168),
    'How long the topic of events keeps them, as it is created. The log keeps them for ever.',
  ),
  OBLIVIOUS_ROLES: setting(
    rolesSchema.prefault('all'),
    'What this process does: all, or some of relay, console, projector, bridge, worker, sweeper with commas between them. `start --role` says the same.',
  ),
  OBLIVIOUS_PROCESSES: setting(
    z.coerce.number().int().min(1).max(64).default(1),
    'How many processes answer callers on this machine; with more than one, background roles have a process of their own. `start --processes` says the same.',
  ),
  OBLIVIOUS_MASTER_KEY: setting(
    z
      .string()
      .regex(/^[A-Za-z0-9+/]{43}=$/, 'expected 32 bytes in base64')
      .optional(),
    'Master key under which secrets are sealed, 32 bytes in base64. Absent: a file in the data directory.',
    { secret: true },
  ),
  OBLIVIOUS_PUBLIC_URL: setting(
    z.url({ protocol: /^https?$/, error: 'expected http:// or https://' }).optional(),
    'The address under which clients reach this server. https makes cookies Secure.',
  ),
  OBLIVIOUS_TRUST_PROXY: setting(
    z.coerce.number().int().min(0).max(10).default(0),
    'How many reverse proxies stand in front and may name the client’s address.',
  ),
  OBLIVIOUS_LOG_LEVEL: setting(z.enum(['error', 'warn', 'info', 'debug']).default('info'), 'Least severe level that is logged.'),
  OBLIVIOUS_ACCESS_LOG: setting(flag.default(true), 'One line for each request: on or off.'),
  OBLIVIOUS_SANDBOX: setting(
    z.enum(['on', 'off', 'auto']).default('auto'),
    'The simulated provider. auto: on in the embedded profile only.',
  ),
  OBLIVIOUS_ALLOW_PRIVATE_UPSTREAMS: setting(
    z.string().max(2_000).default('none'),
    'Private addresses that channels may point to: none, loopback, private, all, or CIDR ranges with commas between them.',
  ),
  OBLIVIOUS_ALLOW_PRIVATE_HOOKS: setting(
    z.string().max(2_000).default('none'),
    'Private addresses that callers may have told of their tasks, in the same words.',
  ),
  OBLIVIOUS_FETCH_IMAGES: setting(
    z.enum(['https', 'http', 'off']).default('https'),
    'Images that callers name by their addresses, for upstreams that fetch none: from https addresses only, from http ones too, or not at all.',
  ),
  OBLIVIOUS_ALLOW_PRIVATE_IMAGES: setting(
    z.string().max(2_000).default('none'),
    'Private addresses that such images may be fetched from, in the words of OBLIVIOUS_ALLOW_PRIVATE_UPSTREAMS.',
  ),
  OBLIVIOUS_TRIAL_CREDIT: setting(fromDollarTextSchema.prefault('5'), 'US dollars that the administrator’s account begins with.'),
  OBLIVIOUS_LOW_BALANCE: setting(
    fromDollarTextSchema.prefault('1'),
    'US dollars. Whoever’s balance falls below it is notified; 0 notifies nobody.',
  ),
  OBLIVIOUS_NOTIFY_WEBHOOK_URL: setting(
    z.url({ protocol: /^https?$/, error: 'expected http:// or https://' }).optional(),
    'Where every notification is posted to. Private addresses need OBLIVIOUS_ALLOW_PRIVATE_UPSTREAMS.',
    { secret: true },
  ),
  OBLIVIOUS_NOTIFY_WEBHOOK_SECRET: setting(
    z.string().min(24, 'expected at least 24 characters').optional(),
    'Signs what is posted there; must be set beside it.',
    { secret: true },
  ),
  OBLIVIOUS_KEEP_RESPONSES: setting(
    flag.default(true),
    'Keep answers of the Responses API, unless a call says not to, and conversations, for their callers to ask for again: on or off.',
  ),
  OBLIVIOUS_KEEP_RESPONSES_DAYS: setting(
    z.coerce.number().int().positive().max(3_650).default(30),
    'How long they are kept; a conversation since it was last added to.',
  ),
  OBLIVIOUS_EXPORT_DIRECTORY: setting(
    z.string().min(1).optional(),
    'Where the files of exports are kept. Processes on several machines need one that they share. Absent: in the data directory.',
  ),
  OBLIVIOUS_EXPORT_DAYS: setting(z.coerce.number().int().positive().max(365).default(7), 'How long the file of an export is kept.'),
  OBLIVIOUS_MAX_BODY_BYTES: setting(bodyBytes.default(67_108_864), 'Largest request body that is read.'),
  OBLIVIOUS_MAX_UPLOAD_BYTES: setting(bytes.default(134_217_728), 'Largest form that is passed on while it comes.'),
  OBLIVIOUS_KEPT_FILE_BYTES: setting(
    bytes.max(67_108_864).default(16_777_216),
    'Largest file that is kept here for vector stores, with the purpose assistants or user_data.',
  ),
  OBLIVIOUS_VECTOR_MODEL: setting(
    z.string().min(1).max(200).optional(),
    'The model that vector stores are embedded with which name none. Absent: the first by name that their key may use.',
  ),
  OBLIVIOUS_KEPT_BYTES: setting(bytes.default(1_073_741_824), 'What the files of one user that are kept here may have together.'),
  OBLIVIOUS_BODY_DISK_FROM_BYTES: setting(
    bytes.default(8_388_608),
    'From this size on what a request’s body has of pictures and documents lies on disk until it is answered.',
  ),
  OBLIVIOUS_BODY_MEMORY_BYTES: setting(
    bytes.default(536_870_912),
    'What the bodies of all requests of a process may have in memory together.',
  ),
  OBLIVIOUS_BODY_DISK_BYTES: setting(bytes.default(8_589_934_592), 'What they may have on disk.'),
  OBLIVIOUS_BODY_DIRECTORY: setting(z.string().min(1).optional(), 'Where that is. Absent: in the data directory.'),
  OBLIVIOUS_HEADERS_SECONDS: setting(seconds.default(10), 'How long a client may take to send the head of a request.'),
  OBLIVIOUS_REQUEST_SECONDS: setting(seconds.default(120), 'How long a client may take to send a whole request.'),
  OBLIVIOUS_HEADER_BYTES: setting(count.default(16_384), 'The most bytes that the head of a request may have.'),
  OBLIVIOUS_HEADERS: setting(count.default(200), 'The most headers that a request may have.'),
  OBLIVIOUS_CONNECTIONS: setting(count.default(20_000), 'Most connections of one process; beyond them new ones are closed at once.'),
  OBLIVIOUS_CONNECTIONS_PER_ADDRESS: setting(
    count.optional(),
    'Most connections of one process from one address. Not where a proxy stands before all callers: they have its address.',
  ),
  OBLIVIOUS_REQUESTS_PER_MINUTE: setting(
    count.default(60_000),
    'Most calls of one key in a minute: of one process, or with REDIS_URL of all together.',
  ),
  OBLIVIOUS_KEY_CONCURRENCY: setting(count.default(2_000), 'Most calls of one key at once; likewise.'),
  OBLIVIOUS_USER_CONCURRENCY: setting(count.default(5_000), 'Most calls of one user at once; likewise.'),
  OBLIVIOUS_ANSWER_SECONDS: setting(seconds.default(600), 'How long a plain answer may take in all.'),
  OBLIVIOUS_FIRST_EVENT_SECONDS: setting(seconds.default(300), 'How long a stream may take to begin.'),
  OBLIVIOUS_SILENCE_SECONDS: setting(seconds.default(300), 'How long a stream may be silent.'),
  OBLIVIOUS_STREAM_SECONDS: setting(seconds.default(3_600), 'How long a stream may last in all.'),
  OBLIVIOUS_HEARTBEAT_SECONDS: setting(
    seconds.default(15),
    'After how much silence a stream gets a comment, so that proxies keep it open.',
  ),
  OBLIVIOUS_REALTIME_SESSION_SECONDS: setting(seconds.default(3_600), 'How long a realtime session may last in all.'),
  OBLIVIOUS_REALTIME_IDLE_SECONDS: setting(seconds.default(900), 'How long a realtime session may be without a word from either side.'),
  OBLIVIOUS_REALTIME_FRAME_BYTES: setting(count.default(16 * 1024 * 1024), 'The largest message of a realtime session.'),
  OBLIVIOUS_LEASE_SECONDS: setting(seconds.default(30), 'How long a spend lease admits calls.'),
  OBLIVIOUS_LEASE_GRACE_SECONDS: setting(seconds.default(15), 'How long after that a silent holder is taken for dead.'),
  OBLIVIOUS_SHUTDOWN_SECONDS: setting(seconds.default(60), 'How long a shutdown waits for streams in flight.'),
  OBLIVIOUS_LINGER_SECONDS: setting(
    z.coerce.number().int().min(0).max(300).default(0),
    'How long a shutdown keeps idle connections, and takes new ones, after it has said that it is not ready: for load balancers to notice. 0: not at all, and 5 where one process replaces another.',
  ),
  OBLIVIOUS_APPEND_QUEUE: setting(count.default(50_000), 'Most appends that wait for the log before callers are turned away.'),
  OBLIVIOUS_DIRECTORY_KEYS: setting(
    count.default(1_000_000),
    'Most keys, and most users, that a process holds in memory; others are looked up when they are used.',
  ),
  OBLIVIOUS_METRICS_TOKEN: setting(
    z.string().min(16, 'expected at least 16 characters').optional(),
    'When set, /metrics wants it as a bearer token.',
    { secret: true },
  ),
  OBLIVIOUS_OPERATOR_TOKEN: setting(
    z.string().min(1).optional(),
    'For the command line: the token of the server that --url names. Absent: the one in the data directory, for the server there.',
    { secret: true },
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(
    z.url({ protocol: /^https?$/, error: 'expected http:// or https://' }).optional(),
    'Where to send traces (OTLP over HTTP). Absent: none are made.',
    { secret: true },
  ),
  OBLIVIOUS_FAILPOINT: setting(
    z
      .string()
      .regex(/^[a-z]+\.[a-z]+:\d+$/)
      .optional(),
    'For crash tests: name:n kills the process when it comes to that place for the nth time.',
  ),
} as const;

export type SettingName = keyof typeof settings;

export type Config = { readonly [Name in SettingName]: z.output<(typeof settings)[Name]['schema']> };
