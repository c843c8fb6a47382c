/** Folders that the compiler writes below `dist/`; the console has `dist/ui` to itself. */
export const COMPILED = ['schemas', 'domain', 'commands', 'projections', 'gateways', 'infra'];

/** Where the bundled server lies below `dist/`. */
export const BUNDLE = 'server';
