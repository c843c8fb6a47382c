/** Where a model of Spark’s is asked, and what it takes. */
export interface SparkModel {
  readonly path: string;
  readonly domain: string;
  /** The most tokens that may be asked for. */
  readonly mostOutput: number;
  /** The highest `temperature`. */
  readonly mostTemperature: number;
  readonly callsTools: boolean;
}

const model = (path: string, domain: string, mostOutput: number, callsTools: boolean, mostTemperature = 1): SparkModel => ({
  path,
  domain,
  mostOutput,
  mostTemperature,
  callsTools,
});

const LITE = model('/v1.1/chat', 'lite', 4_096, false);
const V2 = model('/v2.1/chat', 'generalv2', 8_192, false);
const PRO = model('/v3.1/chat', 'generalv3', 8_192, true);
const PRO_128K = model('/chat/pro-128k', 'pro-128k', 4_096, false);
const MAX = model('/v3.5/chat', 'generalv3.5', 8_192, true);
const MAX_32K = model('/chat/max-32k', 'max-32k', 8_192, true);
const ULTRA = model('/v4.0/chat', '4.0Ultra', 8_192, true);
const X1 = model('/v1/x1', 'x1', 32_768, false, 2);
const PAPERS = model('/v1.1/chat_kjwx', 'kjwx', 4_096, false);

/** iFlytek’s published table, by the names of domains and by the products’ own, in small letters. */
const MODELS: ReadonlyMap<string, SparkModel> = new Map([
  ['lite', LITE],
  ['general', LITE],
  ['spark-lite', LITE],
  ['sparkdesk-v1.1', LITE],
  ['generalv2', V2],
  ['sparkdesk-v2.1', V2],
  ['generalv3', PRO],
  ['spark-pro', PRO],
  ['sparkdesk-v3.1', PRO],
  ['pro-128k', PRO_128K],
  ['spark-pro-128k', PRO_128K],
  ['sparkdesk-v3.1-128k', PRO_128K],
  ['generalv3.5', MAX],
  ['spark-max', MAX],
  ['sparkdesk-v3.5', MAX],
  ['max-32k', MAX_32K],
  ['spark-max-32k', MAX_32K],
  ['sparkdesk-v3.5-32k', MAX_32K],
  ['4.0ultra', ULTRA],
  ['spark-ultra', ULTRA],
  ['spark4.0 ultra', ULTRA],
  ['sparkdesk-v4.0', ULTRA],
  ['x1', X1],
  ['spark-x1', X1],
  ['kjwx', PAPERS],
]);

/** Anything else is named by its address and its domain: `v1/x1#spark-x`. */
const NAMED = /^\/?([A-Za-z0-9._/-]{1,100})#([A-Za-z0-9._-]{1,64})$/;

/** `null`: nobody knows where it is asked. */
export const sparkModel = (name: string): SparkModel | null => {
  const known = MODELS.get(name.toLowerCase());
  if (known !== undefined) return known;
  const [, path, domain] = NAMED.exec(name) ?? [];
  return path === undefined || domain === undefined ? null : model(`/${path}`, domain, Number.MAX_SAFE_INTEGER, true, 2);
};
