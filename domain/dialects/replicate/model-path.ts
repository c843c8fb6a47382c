const NAME = '[A-Za-z0-9][A-Za-z0-9._-]{0,99}';
const OFFICIAL = new RegExp(`^${NAME}/${NAME}$`);
const DEPLOYED = new RegExp(`^deployments/(${NAME}/${NAME})$`);
const VERSIONED = new RegExp(`^(?:${NAME}/${NAME}:)?([0-9a-f]{64})$`);

/** Where a model’s work is handed in, and the version that the body names where that is not said by the address. */
export interface ReplicatePath {
  readonly path: string;
  readonly version: string | null;
}

/** `owner/name`, `owner/name:version`, a version alone or `deployments/owner/name`; `null` for anything else. */
export const replicatePath = (model: string): ReplicatePath | null => {
  const deployed = DEPLOYED.exec(model)?.[1];
  if (deployed !== undefined) return { path: `/deployments/${deployed}/predictions`, version: null };
  if (OFFICIAL.test(model)) return { path: `/models/${model}/predictions`, version: null };
  const version = VERSIONED.exec(model)?.[1];
  return version === undefined ? null : { path: '/predictions', version };
};
