/** The chart palette has six colours that stay apart for every kind of colour vision, and a grey for what is left over. */
export const COLOURS = 6;

/** FNV-1a over UTF-16 code units. */
const hash = (name: string): number => {
  let value = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) value = Math.imul(value ^ name.charCodeAt(index), 0x01000193);
  return value >>> 0;
};

/**
 * Colour is identity: a name gets the same place on every chart whatever its rank; where two names want one place the
 * alphabetically later takes the next free one. At most {@link COLOURS} names.
 */
export const colourPlaces = (names: readonly string[]): ReadonlyMap<string, number> => {
  const places = new Map<string, number>();
  const taken = new Set<number>();
  for (const name of [...new Set(names)].sort().slice(0, COLOURS)) {
    let place = hash(name) % COLOURS;
    while (taken.has(place)) place = (place + 1) % COLOURS;
    taken.add(place);
    places.set(name, place);
  }
  return places;
};
