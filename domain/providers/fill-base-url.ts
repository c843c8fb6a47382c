import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { AddressBlank, Provider } from './provider.ts';

const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?';

const FORMS: { readonly [F in AddressBlank['form']]: { readonly pattern: RegExp; readonly words: string } } = {
  host: { pattern: new RegExp(`^${LABEL}(?:\\.${LABEL}){0,7}$`), words: 'letters, digits, hyphens and dots' },
  // Without a dot in front there is no segment that means another place.
  segment: { pattern: /^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}$/, words: 'letters, digits, and . _ ~ - behind the first' },
};

/**
 * The base URL of a customer of a provider. What is filled in is of the form that its blank has, so that it cannot end the host's name, climb
 * out of the path or begin a query: credentials go nowhere but where the provider's row says.
 */
export const fillBaseUrl = (
  { name, baseUrl, blanks = [] }: Pick<Provider, 'name' | 'baseUrl' | 'blanks'>,
  given: Readonly<Record<string, string>>,
): string | Refusal => {
  if (baseUrl === null)
    return refuse('invalid_request', `${name} has no address of its own: give a base URL.`, { param: 'settings.baseUrl' });
  const stray = Object.keys(given).find((each) => !blanks.some((blank) => blank.name === each));
  if (stray !== undefined)
    return refuse('invalid_request', `The address of ${name} has no blank called "${stray.slice(0, 64)}".`, { param: 'blanks' });
  let filled = baseUrl;
  for (const blank of blanks) {
    const value = given[blank.name];
    const param = `blanks.${blank.name}`;
    if (value === undefined || value === '') return refuse('invalid_request', `The address of ${name} needs: ${blank.name}.`, { param });
    const { pattern, words } = FORMS[blank.form];
    if (!pattern.test(value)) return refuse('invalid_request', `${blank.name}: ${words} only.`, { param });
    filled = filled.replaceAll(`{${blank.name}}`, () => value);
  }
  return filled;
};
