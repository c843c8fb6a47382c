/** Filters live in the URL under short stable keys; what has its default value is left out. */

export interface Field<Value> {
  readonly initial: Value;
  /** `null` for text that means nothing: the default counts then. */
  parse(text: string): Value | null;
  print(value: Value): string;
}

export type ValuesOf<Shape> = { readonly [Key in keyof Shape]: Shape[Key] extends Field<infer Value> ? Value : never };

/** What vue-router calls a query: a key may be absent, bare, single or repeated. */
export type Query = Readonly<Record<string, string | null | undefined | readonly (string | null)[]>>;

export const text = (initial = ''): Field<string> => ({
  initial,
  parse: (value) => value.trim().slice(0, 200),
  print: (value) => value.trim(),
});

export const oneOf = <const Options extends readonly string[]>(options: Options, initial: Options[number]): Field<Options[number]> => ({
  initial,
  parse: (value) => options.find((option) => option === value) ?? null,
  print: (value) => value,
});

export const flag = (): Field<boolean> => ({
  initial: false,
  parse: (value) => value === '1' || value === '',
  print: (value) => (value ? '1' : '0'),
});

const first = (value: Query[string]): string | undefined => {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (value === undefined) return undefined;
  return value.find((each): each is string => typeof each === 'string');
};

export const readFields = <Shape extends Readonly<Record<string, Field<unknown>>>>(shape: Shape, query: Query): ValuesOf<Shape> => {
  const values = Object.entries(shape).map(([key, field]) => {
    const found = first(query[key]);
    return [key, found === undefined ? field.initial : (field.parse(found) ?? field.initial)];
  });
  return Object.fromEntries(values) as ValuesOf<Shape>;
};

/** What these values change in a query: what has its default value is taken out of it. */
export const patchFields = <Shape extends Readonly<Record<string, Field<unknown>>>>(
  shape: Shape,
  change: Partial<ValuesOf<Shape>>,
): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(shape).flatMap(([key, field]): [string, string | undefined][] => {
      if (!(key in change)) return [];
      const printed = field.print((change as Readonly<Record<string, unknown>>)[key]);
      return [[key, printed === field.print(field.initial) ? undefined : printed]];
    }),
  );

/** How many of these fields differ from their defaults. */
export const countActive = <Shape extends Readonly<Record<string, Field<unknown>>>>(
  shape: Shape,
  values: ValuesOf<Shape>,
  fields: readonly (keyof Shape & string)[] = Object.keys(shape),
): number =>
  fields.filter((key) => shape[key]?.print((values as Readonly<Record<string, unknown>>)[key]) !== shape[key]?.print(shape[key].initial))
    .length;
