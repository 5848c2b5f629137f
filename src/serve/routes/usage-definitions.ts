import type { UsageReportName } from '../contract/usage.ts';

/** What the figures of each report on usage mean. docs/reference/usage-metrics.md says it at length, with an anchor for each. */
export const usageDefinitions: Record<UsageReportName, string> = {
  volume:
    'Calls by weight whose start lies in the window. share is of the calls of the window; growth is change by base.',
  daily: 'Calls of the last days by user and date; the last day ends at the instant asked for.',
  rolling: 'Calls that start in [at - span, at), to the millisecond.',
  fit: 'Of each calendar day, the calls up to the instant, and those of them inside the rolling span. residual is always 0.',
  calls: 'Calls in force, each once, newest first.',
  adoption:
    'active: at least one call in the window. new: none before. returning: active in the window before. resurrected: active before, but not then. lapsed: active then, not now.',
  retention: 'Of those whose first call is in the cohort, the share that is active so many windows later.',
  activation:
    'firstCall, firstSuccess and activated are quarters of an hour; activated is the one with enough successful calls, or the first value event.',
  depth:
    'Endpoints called by a tenant, by all that are known; successRatio is successful calls by calls; valueRatio is value events by calls.',
  unused: 'Endpoints that a document names, or that were called before, without a call in the range.',
  sequences: 'Neighbouring calls of one consumer without a pause of more than half an hour.',
  concentration:
    'Shares of the largest 1, 5 and 10; Gini is 0 where all have the same; Herfindahl is the sum of the squares of the shares.',
  baseline:
    'expected: the median of this hour or day of the week; low and high: three standard deviations around it, by the deviations from the median. drift: Theil-Sen slope of weekly levels, taken for real where Mann-Kendall gives p < 0.05.',
  targets:
    'met, missed, on_track or off_track by whole windows that are over; projected is where the line through them leads by the last day.',
  advice:
    'savedCalls: calls that said nothing new, as far as statuses and sizes of answers tell, or that one call could stand for; savedCost: their direct cost.',
  why: 'The change between two ranges, by each dimension to its last call; a cause is named only with what was seen, for which single calls are needed.',
};
