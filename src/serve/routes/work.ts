import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { importBill } from '../../bill/index.ts';
import { type DecodedLines, findLogFormat, parseTenantFrom } from '../../collect/index.ts';
import { closePeriod, postAllocation } from '../../ledger/index.ts';
import { fail, parseMonth, parseRange } from '../../model/index.ts';
import { arriving, keptBody } from '../bodies.ts';
import { billAnswer } from '../contract/bills.ts';
import { settleAnswer } from '../contract/contract.ts';
import { allocateAnswer, closeAnswer } from '../contract/ledger.ts';
import { linesAnswer } from '../contract/lines.ts';
import type { House } from '../house.ts';
import { answers } from './answers.ts';
import { uploadedBill, uploadName, withUpload } from './bills.ts';

/** The malformed lines that an answer names. */
const MOST_NAMED = 100;

const uploadRoute = createRoute({
  method: 'put',
  path: '/api/v1/uploads/{upload}/{place}',
  summary: 'Send one file of a bill export; the import follows',
  request: {
    params: z.object({ upload: uploadName, place: z.coerce.number().int().min(0).max(9999) }),
    query: z.object({ name: z.string().min(1).max(1_000) }),
  },
  responses: answers(z.object({ bytes: z.number() })),
});

const billRoute = createRoute({
  method: 'post',
  path: '/api/v1/bills',
  summary: 'Import one whole bill export from uploaded files',
  request: {
    body: {
      content: {
        'application/json': {
          schema: uploadedBill.extend({ replace: z.boolean().default(false) }),
        },
      },
    },
  },
  responses: answers(billAnswer),
});

const rangeBody = { content: { 'application/json': { schema: z.object({ from: z.string(), to: z.string() }) } } };

const allocateRoute = createRoute({
  method: 'post',
  path: '/api/v1/allocate',
  summary: 'Share out everything that starts in a range, and post it',
  request: { body: rangeBody },
  responses: answers(allocateAnswer),
});

const closeRoute = createRoute({
  method: 'post',
  path: '/api/v1/close',
  summary: 'Close a billing month',
  request: {
    body: {
      content: {
        'application/json': {
          schema: z.object({
            period: z.string(),
            by: z.string().max(100).default('api'),
            maxUnattributed: z.number().min(0).max(1).optional(),
            minCoverage: z.number().min(0).max(1).optional(),
          }),
        },
      },
    },
  },
  responses: answers(closeAnswer),
});

const linesRoute = createRoute({
  method: 'post',
  path: '/api/v1/logs/{format}',
  summary: 'Send whole lines of a log, or of OTLP/JSON',
  request: {
    params: z.object({ format: z.string().min(1).max(2_000) }),
    query: z.object({
      service: z.string().min(1).max(200).default('access-log'),
      tenantFrom: z.string().max(300).optional(),
      host: z.string().max(200).default(''),
      fingerprint: z.string().max(128).default(''),
      head: z.string().max(10_000).default(''),
      offset: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
      source: z.string().max(4_096).default('').openapi({ description: 'what to call the log in the quarantine' }),
      firstLine: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).default(1),
    }),
    body: { content: { 'text/plain': { schema: z.string() }, 'application/octet-stream': { schema: z.string() } } },
  },
  responses: answers(linesAnswer),
});

const settleRoute = createRoute({
  method: 'post',
  path: '/api/v1/settle',
  summary: 'Wait until everything acknowledged so far can be asked for',
  responses: answers(settleAnswer),
});

/** Work: requests that bring something in or post something. */
export function addWork(app: OpenAPIHono, house: House): void {
  const uploads = join(house.folder, 'uploads');
  app.openapi(uploadRoute, async (context) => {
    const { upload, place } = context.req.valid('param');
    const folder = join(uploads, upload);
    await mkdir(folder, { recursive: true });
    const body = context.req.raw.body;
    try {
      const bytes = body === null ? 0 : await receive(body, join(folder, String(place)), house.limits.uploadBytes);
      return context.json({ bytes }, 200);
    } catch (cause) {
      await rm(folder, { recursive: true, force: true });
      throw cause;
    }
  });
  app.openapi(billRoute, async (context) => {
    const { upload, names, format, replace } = context.req.valid('json');
    const summary = await withUpload(house, upload, names, (files, progress) =>
      importBill(house.store, files, { format, replace, now: house.now(), progress }),
    );
    return context.json(structuredClone(summary) as unknown as z.infer<typeof billAnswer>, 200);
  });
  app.openapi(allocateRoute, async (context) => {
    const { from, to } = context.req.valid('json');
    // Everything acknowledged so far counts, spans that wait for others of a large trace too.
    await house.collector.settle();
    return context.json(await postAllocation(house.store, parseRange(from, to), house.now()), 200);
  });
  app.openapi(closeRoute, async (context) => {
    const { period, by, ...limits } = context.req.valid('json');
    const closed = await closePeriod(house.store, parseMonth(period), by, house.now(), limits);
    const lines = closed.lines.map((line) => ({ ...line, findings: [...line.findings] }));
    return context.json({ ...closed, lines, warnings: [...closed.warnings] }, 200);
  });
  app.openapi(linesRoute, async (context) => {
    const { format } = context.req.valid('param');
    const query = context.req.valid('query');
    const body = keptBody(context.req.raw);
    if (format === 'otlp-proto') {
      const decoded = await house.collector.traces(body, 'protobuf');
      return context.json(shownLines({ ...decoded, malformed: [] }), 200);
    }
    const { service, host, source, offset, firstLine } = query;
    const fingerprint = query.fingerprint || createHash('sha256').update(body).digest('hex');
    const lines = await sentLines(house, format, body, { ...query, fingerprint });
    // A sender that hears of a failure here sends the lines again, and they count once.
    const origin = { source, service, host, fingerprint, tenantFrom: query.tenantFrom ?? '', format };
    await house.quarantine.note(origin, { body, offset, firstLine }, lines.malformed);
    return context.json(shownLines(lines), 200);
  });
  app.openapi(settleRoute, async (context) => {
    await house.collector.settle();
    return context.json({ settled: true as const }, 200);
  });
}

type LinesQuery = z.infer<typeof linesRoute.request.query>;

/** Lines of an access log, or of OTLP/JSON. */
async function sentLines(house: House, format: string, body: Buffer, query: LinesQuery): Promise<DecodedLines> {
  if (format === 'otlp-jsonl') return house.collector.otlpLines(body.toString('utf8'));
  const logFormat = findLogFormat(format);
  if (logFormat === null) throw fail('FORMAT_UNKNOWN', { format: format.slice(0, 100) });
  const tenantFrom = parseTenantFrom(query.tenantFrom);
  if (tenantFrom === null) throw fail('PARAMETER_INVALID', { tenantFrom: query.tenantFrom });
  const { service, host, fingerprint, offset, head } = query;
  return house.collector.lines(body, { service, host, tenantFrom, fingerprint }, logFormat, offset, head || undefined);
}

function shownLines(result: {
  accepted: number;
  refused: { byReason: ReadonlyMap<string, number> };
  malformed: readonly { line: number; reason: string }[];
}) {
  return {
    accepted: result.accepted,
    refused: Object.fromEntries(result.refused.byReason),
    malformed: result.malformed.slice(0, MOST_NAMED).map(({ line, reason }) => ({ line, reason })),
  };
}

async function receive(body: ReadableStream<Uint8Array>, path: string, limitBytes: number): Promise<number> {
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limitBytes) done(fail('BODY_TOO_LARGE', { limitBytes }));
      else done(null, chunk);
    },
  });
  await pipeline(Readable.from(arriving(body)), counted, createWriteStream(path));
  return bytes;
}
