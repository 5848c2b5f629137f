import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { type BillFile, billFormats, checkExport, type Progress, shownBills, shownReport } from '../../bill/index.ts';
import { fail } from '../../model/index.ts';
import { billReportAnswer, billsAnswer, exportAnswer, uploadAnswer } from '../contract/bills.ts';
import type { House } from '../house.ts';
import { answers } from './answers.ts';

export const uploadName = z.string().regex(/^[A-Za-z0-9]{8,64}$/);

/** What a bill is made of: uploaded files, in their order, and the format they are in. */
export const uploadedBill = z.object({
  upload: uploadName,
  names: z.array(z.string().min(1).max(1_000)).min(1).max(10_000),
  format: z.enum(['auto', ...billFormats]).default('auto'),
});

const checkRoute = createRoute({
  method: 'post',
  path: '/api/v1/bills/check',
  summary: 'Hold an uploaded bill export against the rules of FOCUS; nothing is stored',
  request: { body: { content: { 'application/json': { schema: uploadedBill } } } },
  responses: answers(exportAnswer),
});

const listRoute = createRoute({
  method: 'get',
  path: '/api/v1/bills',
  summary: 'The bills in force',
  responses: answers(billsAnswer),
});

const reportRoute = createRoute({
  method: 'get',
  path: '/api/v1/bills/{importId}',
  summary: 'What an import was held to when it came',
  request: { params: z.object({ importId: z.string().regex(/^\d{1,20}$/) }) },
  responses: answers(billReportAnswer),
});

const uploadRoute = createRoute({
  method: 'get',
  path: '/api/v1/uploads/{upload}',
  summary: 'How many rows of an upload were read so far',
  request: { params: z.object({ upload: uploadName }) },
  responses: answers(uploadAnswer),
});

/** Rows read so far, by upload, of the bills that are being read. */
const underWay = new WeakMap<House, Map<string, number>>();

/** Runs work on the files of an upload, tells how far it is, and removes the files afterwards, also when it fails. */
export async function withUpload<Answer>(
  house: House,
  upload: string,
  names: readonly string[],
  work: (files: readonly BillFile[], progress: Progress) => Promise<Answer>,
): Promise<Answer> {
  const folder = join(house.folder, 'uploads', upload);
  const reading = underWay.get(house) ?? new Map<string, number>();
  underWay.set(house, reading);
  try {
    const there = new Set(await readdir(folder).catch(() => []));
    const missing = names.filter((_, place) => !there.has(String(place)));
    if (missing.length > 0) throw fail('PARAMETER_INVALID', { notUploaded: missing.join(', ').slice(0, 200) });
    const files = names.map((name, place) => ({ name, path: join(folder, String(place)) }));
    return await work(files, (rows) => void reading.set(upload, rows));
  } finally {
    reading.delete(upload);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Bills: which are in force, and what they were held to. Their import is work. */
export function addBills(app: OpenAPIHono, house: House): void {
  app.openapi(checkRoute, async (context) => {
    const { upload, names, format } = context.req.valid('json');
    const report = await withUpload(house, upload, names, (files, progress) => checkExport(files, format, progress));
    return context.json(structuredClone(report) as unknown as z.infer<typeof exportAnswer>, 200);
  });
  app.openapi(listRoute, async (context) => {
    const bills = await shownBills(house.store);
    return context.json({ bills: bills.map((bill) => ({ ...bill, files: [...bill.files] })) }, 200);
  });
  app.openapi(reportRoute, async (context) => {
    const report = await shownReport(house.store, context.req.valid('param').importId);
    if (report === null) throw fail('NOT_FOUND', { importId: context.req.valid('param').importId });
    return context.json(structuredClone(report) as unknown as z.infer<typeof billReportAnswer>, 200);
  });
  app.openapi(uploadRoute, (context) => {
    const rows = underWay.get(house)?.get(context.req.valid('param').upload) ?? null;
    return context.json({ rows }, 200);
  });
}
