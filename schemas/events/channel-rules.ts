import { z } from 'zod';

/** Where in a body: names and indices with dots between them; `-1` is the last of a list, `*` each of them. */
export const BodyPath = z
  .string()
  .min(1)
  .max(200)
  .regex(/^(?:[A-Za-z0-9_$-]+|\*)(?:\.(?:[A-Za-z0-9_$-]+|\*))*$/, 'is not a path such as a.b.0');

const Text = z.string().max(4_000);

const Scalar = z.union([Text, z.number(), z.boolean(), z.null()]);
const within = <Inner extends z.ZodType>(inner: Inner) =>
  z.union([Scalar, z.array(inner).max(1_000), z.record(z.string().max(200), inner)]);

/** A value for a body, a few levels deep. Not by a schema that holds itself: the description of the API could not tell of it. */
const BodyValue = within(within(within(within(Scalar))));

/** What has to be so of the body for a rule to hold. */
export const BodyCondition = z.object({
  path: BodyPath,
  /** `present` looks whether there is anything at all; the others at what it is. */
  is: z.enum(['present', 'equal', 'prefix', 'suffix', 'containing', 'greater', 'at_least', 'less', 'at_most']),
  value: z.union([Text, z.number(), z.boolean(), z.null()]).optional(),
  not: z.boolean().optional(),
});
export type BodyCondition = z.infer<typeof BodyCondition>;

const when = { when: z.array(BodyCondition).max(10).optional() };

/** One change to the body on its way to an upstream, after it was put into the upstream's form. */
export const BodyRule = z.discriminatedUnion('op', [
  z.object({ op: z.enum(['set', 'default']), path: BodyPath, value: BodyValue, ...when }),
  z.object({ op: z.enum(['delete', 'trim', 'lower', 'upper']), path: BodyPath, ...when }),
  z.object({ op: z.enum(['move', 'copy']), from: BodyPath, to: BodyPath, ...when }),
  z.object({
    op: z.enum(['prepend', 'append', 'ensure_prefix', 'ensure_suffix', 'trim_prefix', 'trim_suffix']),
    path: BodyPath,
    value: Text,
    ...when,
  }),
  z.object({ op: z.literal('replace'), path: BodyPath, find: Text.min(1), with: Text, ...when }),
  /** The channel does not take such a call; another may. */
  z.object({ op: z.literal('pass_over'), when: z.array(BodyCondition).min(1).max(10) }),
]);
export type BodyRule = z.infer<typeof BodyRule>;

export const HeaderName = z.string().regex(/^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'is not the name of a header in lower case');
export const HeaderValue = z
  .string()
  .max(2_000)
  // eslint-disable-next-line no-control-regex -- what no header may hold
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'has control characters');

/** One change to the headers of a call to an upstream. `pass` takes a header over from the client's request. */
export const HeaderRule = z.discriminatedUnion('op', [
  z.object({ op: z.enum(['set', 'default']), name: HeaderName, value: HeaderValue }),
  z.object({ op: z.literal('delete'), name: HeaderName }),
  z.object({ op: z.literal('pass'), name: HeaderName, as: HeaderName.optional() }),
]);
export type HeaderRule = z.infer<typeof HeaderRule>;

/** An answer of the upstream's that means more than its status: all that is given has to fit. */
export const DisableRule = z.object({
  statuses: z.array(z.int().min(100).max(599)).min(1).max(50).optional(),
  /** The error's code or type. */
  codes: z.array(z.string().min(1).max(100)).min(1).max(50).optional(),
  /** Anywhere in the answer, in upper or lower case. */
  texts: z.array(z.string().min(1).max(200)).min(1).max(50).optional(),
  /** What it takes out of use: the credential that was sent, or the whole channel. */
  disables: z.enum(['key', 'channel']),
});
export type DisableRule = z.infer<typeof DisableRule>;

/** A status of the upstream's that is to be read as another. */
export const StatusMapping = z.object({ from: z.int().min(400).max(599), to: z.int().min(400).max(599) });

/** A text of the operator's in front of every conversation. */
export const SystemPrompt = z.object({
  text: z.string().min(1).max(20_000),
  /** `before` and `behind` what the client says itself, `instead` of it, or only where it says nothing. */
  place: z.enum(['before', 'behind', 'instead', 'where_missing']),
});
export type SystemPrompt = z.infer<typeof SystemPrompt>;

/** Time limits that replace those of the installation. */
export const ChannelTimes = z.object({
  /** Until a plain answer is whole. */
  answerSeconds: z.int().min(1).max(86_400).optional(),
  /** Until a stream's first event. */
  firstEventSeconds: z.int().min(1).max(86_400).optional(),
});
