import { isRecord, textOf } from '../loose-json.ts';

/** A sentence is cut behind this many characters. */
const LONGEST = 500;
/** Of a list of faults, no more are told. */
const MOST_FAULTS = 5;

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);

/** One fault of a list: a text, or an object with a text and the place (FastAPI’s `loc`) that it is about. */
const faultIn = (fault: unknown): string => {
  if (!isRecord(fault)) return textOf(fault);
  const sentence = textOf(fault['msg']) || textOf(fault['message']) || textOf(fault['detail']) || textOf(fault['error']);
  const place = list(fault['loc']).filter((part) => part !== 'body' && (typeof part === 'string' || typeof part === 'number'));
  return place.length === 0 || sentence === '' ? sentence : `${place.join('.')}: ${sentence}`;
};

const faultsIn = (faults: unknown): string => {
  const given: readonly unknown[] = Array.isArray(faults) ? list(faults) : isRecord(faults) ? Object.values(faults).flat() : [];
  return given
    .slice(0, MOST_FAULTS)
    .map(faultIn)
    .filter((sentence) => sentence !== '')
    .join('; ');
};

/** What any of the forms says that servers use for errors; empty where it is none of them. */
const sentenceIn = (said: unknown): string => {
  if (!isRecord(said)) return textOf(said);
  const { error, message, msg, detail, errors, title, Message: capital, error_description: described } = said;
  return (
    (isRecord(error) ? sentenceIn(error) : textOf(error) !== '' && textOf(described) !== '' ? textOf(described) : textOf(error)) ||
    textOf(message) ||
    textOf(capital) ||
    textOf(msg) ||
    (typeof detail === 'string' ? detail : isRecord(detail) ? sentenceIn(detail) : faultsIn(detail)) ||
    faultsIn(errors) ||
    textOf(title)
  );
};

/** What may say where an upstream is, or with what it was asked. */
const TELLING: readonly (readonly [found: RegExp, told: string])[] = [
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>)]+/gi, '[address]'],
  [/\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b/g, '[address]'],
  [/\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|cn|net|org|io|ai|dev|cloud|local|internal|lan|svc|corp)(?::\d+)?\b/gi, '[host]'],
  [/\b(?:bearer|basic)\s+[\w.~+/=-]{8,}/gi, '[credential]'],
  [/\b(?:sk|pk|key|token|api[_-]?key|secret)[-_=:][\w.~+/=-]{6,}/gi, '[credential]'],
  [/\b[A-Za-z0-9_-]{40,}\b/g, '[credential]'],
];

const withoutTelltales = (text: string): string => TELLING.reduce((kept, [found, told]) => kept.replace(found, told), text);

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};

const isPage = (text: string): boolean => /^\s*<(?:!doctype|html|head|body|\?xml)/i.test(text);

/** An error of OpenAI’s shape, which is told as it came. */
export const isOpenaiError = (said: unknown): boolean =>
  isRecord(said) && isRecord(said['error']) && textOf(said['error']['message']) !== '';

/**
 * What an error says that is none of OpenAI’s shape (`{"detail": …}`, `{"message": …}`, `{"errors": […]}`, a list of faults, plain text), without what
 * might say where the upstream is or with what it was asked. `null`: nothing that can be told, as with the pages of proxies.
 */
export const saidByForeignError = (text: string): string | null => {
  if (isPage(text)) return null;
  const json = parsed(text);
  const isPlain = json === null && !/^\s*[{[]/.test(text) && !text.includes('\u0000');
  const sentence = Array.isArray(json) ? faultsIn(json) : isPlain ? text : sentenceIn(json);
  const told = withoutTelltales(sentence).replace(/\s+/g, ' ').trim();
  return told === '' ? null : told.length > LONGEST ? `${told.slice(0, LONGEST)}…` : told;
};
