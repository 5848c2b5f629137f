// npm run bench [-- small]: measures what docs/internals/performance.md reports, against references in the same run.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { benchAllocation } from './allocation.ts';
import { insertReference } from './insert-reference.ts';
import { benchLines } from './log-lines.ts';
import { benchRecovery } from './recovery.ts';
import { benchSpans } from './spans.ts';

const isSmall = process.argv.includes('small');
const size = isSmall
  ? { spans: 20_000, lines: 20_000, groups: 2_000, recovered: 40_000 }
  : { spans: 1_000_000, lines: 1_000_000, groups: 1_000_000, recovered: 5_000_000 };
const folder = mkdtempSync(join(tmpdir(), 'taximeter-bench-'));

try {
  const spans = await benchSpans(size.spans, folder);
  const insert = await insertReference(join(folder, 'whole'));
  const lines = benchLines(size.lines, folder);
  const allocation = await benchAllocation(size.groups, join(folder, 'allocation'));
  const recovery = await benchRecovery(size.recovered, join(folder, 'recovery'));
  const two = (value: number) => value.toFixed(2);
  const ratio = (value: number, reference: number) => `${two(value / reference)} x reference`;
  const table = new Table({
    head: ['what', 'measured', 'must reach', 'reference in the same run'],
    style: { head: [], border: [] },
  });
  table.push(
    [
      'spans accepted durably, CPU-s per million',
      two(spans.acceptCpuPerMillion),
      '<= 4',
      `decoding alone, @bufbuild/protobuf: ${two(spans.decodeReferenceCpuPerMillion)} (${ratio(spans.acceptCpuPerMillion, spans.decodeReferenceCpuPerMillion)})`,
    ],
    [
      'spans decoded into rows, CPU-s per million',
      two(spans.decodeCpuPerMillion),
      '< reference',
      `@bufbuild/protobuf into messages, both warmed up on the same requests: ${two(spans.decodeReferenceCpuPerMillion)} (${ratio(spans.decodeCpuPerMillion, spans.decodeReferenceCpuPerMillion)})`,
    ],
    ['spans accepted durably, per second', Math.round(spans.acceptPerSecond), '', 'sender on the same machine'],
    [
      'spans accept to queryable, CPU-s per million',
      two(spans.queryableCpuPerMillion),
      '<= 15',
      `bare insert of the same rows: ${two(insert.cpuPerMillion)} (${ratio(spans.queryableCpuPerMillion, insert.cpuPerMillion)})`,
    ],
    ['spans accept to queryable, per second', Math.round(spans.queryablePerSecond), '', ''],
    [
      'log lines to queryable usage, per second',
      Math.round(lines.linesPerSecond),
      '>= 150000',
      lines.goaccessLinesPerSecond === null
        ? 'goaccess is not installed'
        : `goaccess: ${Math.round(lines.goaccessLinesPerSecond)} (${ratio(lines.linesPerSecond, lines.goaccessLinesPerSecond)})`,
    ],
    [
      `allocate ${allocation.shares} shares, seconds`,
      two(allocation.seconds),
      '<= 60 for 20 million',
      `CPU seconds ${two(allocation.cpuSeconds)}`,
    ],
    [
      `${recovery.spans} journalled spans to queryable after a kill, seconds`,
      two(recovery.seconds),
      '<= 60 for 5 million',
      `CPU seconds ${two(recovery.cpuSeconds)}; journal ${Math.round(recovery.journalBytes / 2 ** 20)} MB; highest memory ${Math.round(recovery.peakBytes / 2 ** 20)} MB`,
    ],
    ['resident memory idle, MB', Math.round(spans.idleBytes / 2 ** 20), '<= 600', ''],
    ['resident memory at ingest, highest, MB', Math.round(spans.peakBytes / 2 ** 20), '<= 2048', ''],
  );
  console.log(`${cpus().length} cores, ${cpus()[0]?.model}, Node ${process.versions.node}`);
  console.log(table.toString());
  const results = {
    spans: spans.spans,
    recovered: recovery.spans,
    recoveredCalls: recovery.calls,
    calls: spans.calls,
    rows: insert.rows,
    shares: allocation.shares,
    tenants: allocation.tenants,
    residual: allocation.residual,
  };
  console.log('results', JSON.stringify(results));
  console.log('hash of the results', createHash('sha256').update(JSON.stringify(results)).digest('hex').slice(0, 16));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
