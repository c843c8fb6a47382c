import { startEndpointUpstream, type Answering, type EndpointUpstream } from '../endpoints/endpoint-upstream.ts';

export interface TaskUpstream extends Omit<EndpointUpstream, 'baseUrl'> {
  /** Without `/v1`. */
  readonly url: string;
}

/** An upstream of tasks, that says what a test told it to. */
export const startTaskUpstream = async (): Promise<TaskUpstream> => {
  const { baseUrl, ...upstream } = await startEndpointUpstream();
  return {
    ...upstream,
    get calls() {
      return upstream.calls;
    },
    url: baseUrl.slice(0, -'/v1'.length),
  };
};

/** Bytes of a type. */
export const bytes =
  (body: Buffer, type: string): Answering =>
  (res) => {
    res.writeHead(200, { 'content-type': type, 'content-length': body.length });
    res.end(body);
  };
