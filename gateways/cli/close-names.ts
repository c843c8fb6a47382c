/** How many letters have to be put in, taken out or exchanged to make one word of another. */
const distance = (left: string, right: string): number => {
  let above = Array.from({ length: right.length + 1 }, (_each, index) => index);
  for (const [row, letter] of [...left].entries()) {
    const line = [row + 1];
    for (let column = 0; column < right.length; column++)
      line.push(Math.min((above[column + 1] ?? 0) + 1, (line[column] ?? 0) + 1, (above[column] ?? 0) + (letter === right[column] ? 0 : 1)));
    above = line;
  }
  return above[right.length] ?? 0;
};

/** What somebody may have meant who wrote `word`: the names nearest to it, three at most, and none where none is near. */
export const closeNames = (word: string, names: readonly string[]): readonly string[] => {
  const asked = word.toLowerCase();
  return names
    .map((name) => {
      const own = name.toLowerCase();
      const within = asked.length > 2 && (own.includes(asked) || asked.includes(own));
      return { name, away: within ? 1 : distance(asked, own) };
    })
    .filter(({ name, away }) => away <= Math.max(1, Math.floor(name.length / 3)))
    .sort((left, right) => left.away - right.away)
    .slice(0, 3)
    .map(({ name }) => name);
};
