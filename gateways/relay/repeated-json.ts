/** Stands in for the text that differs; JSON has no such thing unescaped. */
const PROBE = '\u0001';

/** After as many texts of which none was like the one before it nobody looks any more. */
const MOST_MISSES = 32;

type Owner = Record<string, unknown>;

/** The object that has the probe as this member; `null` where none has. */
const ownerOf = (value: unknown, name: string): Owner | null => {
  if (typeof value !== 'object' || value === null) return null;
  const owner = value as Owner;
  if (owner[name] === PROBE) return owner;
  for (const member of Object.values(owner)) {
    const found = ownerOf(member, name);
    if (found !== null) return found;
  }
  return null;
};

/** Where the text ends that begins here; -1 where it does not. */
const endOfText = (json: string, from: number): number => {
  for (let at = from; at < json.length; at++) {
    if (json[at] === '"') return at;
    if (json[at] === '\\') at++;
  }
  return -1;
};

/**
 * Parses one JSON text after another that are the same but for a text in one place, as the events of a stream are: as soon as two of them were, those
 * like them are not parsed any more, only compared. What is parsed to may be changed by the next call.
 */
export class RepeatedJson {
  readonly #name: string;
  readonly #mark: string;
  #head = '';
  #tail = '';
  #value: unknown = null;
  #owner: Owner | null = null;
  #misses = 0;

  /** `name`: the member whose text differs. */
  constructor(name: string) {
    this.#name = name;
    this.#mark = `"${name}":"`;
  }

  /** As `JSON.parse`, which throws. */
  parse(json: string): unknown {
    const owner = this.#owner;
    if (
      owner !== null &&
      json.length >= this.#head.length + this.#tail.length &&
      json.startsWith(this.#head) &&
      json.endsWith(this.#tail)
    ) {
      const text = this.#textOf(json);
      if (text !== null) {
        owner[this.#name] = text;
        return this.#value;
      }
    }
    if (this.#misses < MOST_MISSES) this.#learn(json);
    return JSON.parse(json);
  }

  /** What stands where texts differ; `null` where that is not one text. */
  #textOf(json: string): string | null {
    const text = json.slice(this.#head.length, json.length - this.#tail.length);
    // eslint-disable-next-line no-control-regex -- what JSON has to escape
    if (!/["\\\u0000-\u001f]/.test(text)) return text;
    try {
      return JSON.parse(`"${text}"`) as string;
    } catch {
      return null;
    }
  }

  #learn(json: string): void {
    this.#misses++;
    const mark = json.indexOf(this.#mark);
    const from = mark + this.#mark.length;
    const to = mark < 0 ? -1 : endOfText(json, from);
    if (to < 0) return;
    const head = json.slice(0, from);
    const tail = json.slice(to);
    if (head === this.#head && tail === this.#tail) {
      this.#misses = 0;
      if (this.#owner !== null) return;
      try {
        this.#value = JSON.parse(`${head}${JSON.stringify(PROBE).slice(1, -1)}${tail}`);
      } catch {
        return;
      }
      this.#owner = ownerOf(this.#value, this.#name);
    } else {
      this.#head = head;
      this.#tail = tail;
      this.#owner = null;
    }
  }
}
