import type { ExportRequested, ExportView, RequestExport } from '../../../schemas/http/exports.ts';
import type { Done, Wire } from '../../../schemas/http/wire.ts';
import { addressOf, call } from './http.ts';
import type { Page, Paging } from './span.ts';

export type Export = Wire<typeof ExportView>;
export type ExportOrder = Wire<typeof RequestExport>;

export const listExports = (paging: Paging, signal?: AbortSignal): Promise<Page<Export>> =>
  call('GET', '/exports', { query: { ...paging }, signal });
export const requestExport = (order: ExportOrder): Promise<Wire<typeof ExportRequested>> => call('POST', '/exports', { body: order });
export const cancelExport = (exportId: string): Promise<Wire<typeof Done>> =>
  call('POST', `/exports/${encodeURIComponent(exportId)}/cancel`);
/** A link, so that the browser streams the download to disk. */
export const exportFileAddress = (exportId: string): string => addressOf(`/exports/${encodeURIComponent(exportId)}/file`);
