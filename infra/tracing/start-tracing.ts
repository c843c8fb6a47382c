import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

export interface Tracing {
  /** Sends what is left. */
  stop(): Promise<void>;
}

/** Spans are made through the OpenTelemetry API, which does nothing until a provider is registered: that happens here, when an endpoint is configured. */
export const startTracing = (endpoint: string | undefined, serviceVersion: string): Tracing => {
  if (endpoint === undefined) return { stop: () => Promise.resolve() };
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'oblivious', 'service.version': serviceVersion }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` }))],
  });
  provider.register();
  return { stop: () => provider.shutdown() };
};
