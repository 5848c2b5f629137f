import type { StatusAnswer } from '../api/contract.ts';

export interface Snippet {
  readonly title: string;
  readonly why: string;
  readonly command: string;
}

export type StartStep = 'otlp' | 'log' | 'bill' | 'model';

const DEFAULT_OTLP = '127.0.0.1:4318';

/** The commands that bring in what is missing; the address is the one this server really listens on. */
export function snippets(listeners: Partial<StatusAnswer['listeners']> = {}): Readonly<Record<StartStep, Snippet>> {
  return {
    otlp: {
      title: 'Point OpenTelemetry here',
      why: 'Every service with an OTLP exporter counts its calls from its next request on.',
      command: `OTEL_EXPORTER_OTLP_ENDPOINT=${withScheme(listeners.otlp || DEFAULT_OTLP)}`,
    },
    log: {
      title: 'Or read an access log',
      why: 'The format is recognised; compressed files are fine.',
      command: 'npx taximeter ingest access.log',
    },
    bill: {
      title: 'Import the cloud bill',
      why: 'FOCUS, AWS, Google Cloud or Azure exports; one command takes one whole export.',
      command: 'npx taximeter bill import bill.csv',
    },
    model: {
      title: 'Say who shares which costs',
      why: 'A cost model names the pools and what each is shared out by.',
      command: 'npx taximeter apply -f model.yaml',
    },
  };
}

function withScheme(address: string): string {
  return /^https?:\/\//.test(address) ? address : `http://${address}`;
}
