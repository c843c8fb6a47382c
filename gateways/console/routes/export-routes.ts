import { z } from 'zod';
import { ExportId } from '../../../schemas/ids.ts';
import * as exports from '../../../schemas/http/exports.ts';
import type { Route } from '../route.ts';

const ExportParams = z.object({ exportId: ExportId });

export const exportRoutes = {
  listExports: {
    method: 'get',
    path: '/exports',
    auth: 'user',
    tag: 'Exports',
    summary: 'Files that the caller asked for, newest first.',
    query: exports.ExportQuery,
    answer: 'json',
    response: exports.ExportPage,
  },
  requestExport: {
    method: 'post',
    path: '/exports',
    auth: 'user',
    tag: 'Exports',
    summary: 'Ask for the request log or the journal as a file.',
    body: exports.RequestExport,
    answer: 'json',
    status: 202,
    response: exports.ExportRequested,
  },
  readExport: {
    method: 'get',
    path: '/exports/:exportId',
    auth: 'user',
    tag: 'Exports',
    summary: 'One export of the caller’s.',
    params: ExportParams,
    query: exports.OneExportQuery,
    answer: 'json',
    response: exports.ExportView,
  },
  cancelExport: {
    method: 'post',
    path: '/exports/:exportId/cancel',
    auth: 'user',
    tag: 'Exports',
    summary: 'Give up an export that is not done.',
    params: ExportParams,
    answer: 'json',
    response: exports.ExportDone,
  },
  downloadExport: {
    method: 'get',
    path: '/exports/:exportId/file',
    auth: 'user',
    tag: 'Exports',
    summary: 'The file, packed with gzip. For whoever asked for it.',
    params: ExportParams,
    query: exports.OneExportQuery,
    answer: 'file',
    response: z.string(),
  },
} as const satisfies Record<string, Route>;
