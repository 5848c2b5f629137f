import { SpanKind } from '../../model/index.ts';
import { feeFrom } from '../fee.ts';
import { measures, type SpanTable } from '../table/span-table.ts';
import { numberSlot, type Slot, textSlot } from './attributes.ts';
import { firstNumber } from './first-slot.ts';
import type { SpanDraft } from './span-draft.ts';

const LONGEST_FEE = 60;
const chargeSlot = textSlot('taximeter.charge');
const chargeCurrencySlot = textSlot('taximeter.charge_currency');
const feePico = measures.indexOf('fee_pico');
const feeCurrency = measures.indexOf('fee_currency');

/** For each measure, the attributes that give it; the sizes of HTTP bodies only count where they were served. */
const measureSlots: readonly { readonly always: readonly Slot[]; readonly served: readonly Slot[] }[] = [
  { always: [numberSlot('taximeter.cpu_us')], served: [] },
  { always: [numberSlot('taximeter.mem_byte_ms')], served: [] },
  { always: [numberSlot('taximeter.gpu_us')], served: [] },
  {
    always: [numberSlot('taximeter.bytes_in')],
    served: (['http.request.size', 'http.request.body.size', 'http.request_content_length'] as const).map(numberSlot),
  },
  {
    always: [numberSlot('taximeter.bytes_out')],
    served: (['http.response.size', 'http.response.body.size', 'http.response_content_length'] as const).map(
      numberSlot,
    ),
  },
  { always: [numberSlot('taximeter.log_bytes')], served: [] },
  { always: [numberSlot('gen_ai.usage.input_tokens')], served: [] },
  { always: [numberSlot('gen_ai.usage.output_tokens')], served: [] },
  { always: [numberSlot('taximeter.retries')], served: [] },
  { always: [numberSlot('faas.coldstart')], served: [] },
  { always: [numberSlot('taximeter.records')], served: [numberSlot('messaging.batch.message_count')] },
];

export function isServed(kind: number): boolean {
  return kind === SpanKind.SERVER || kind === SpanKind.CONSUMER;
}

/** Writes the quantities that a span says into its row. */
export function addQuantities(table: SpanTable, row: number, { attributes, kind }: SpanDraft): void {
  if (attributes.hasQuantities) {
    for (let which = 0; which < measureSlots.length; which++) {
      const { always, served } = measureSlots[which]!;
      let value = firstNumber(attributes, always);
      if (value < 0 && isServed(kind)) value = firstNumber(attributes, served);
      if (value >= 0) table.measure(which, row, value);
    }
  }
  if (!attributes.has(chargeSlot)) return;
  // What a span says to have cost elsewhere, in 10^-12 of a currency; of one that is no fee nothing is kept.
  const fee = feeFrom(attributes.text(chargeSlot, LONGEST_FEE), attributes.text(chargeCurrencySlot, LONGEST_FEE));
  if (fee === null) return;
  table.measure(feePico, row, fee.pico);
  if (fee.currency > 0) table.measure(feeCurrency, row, fee.currency);
}
