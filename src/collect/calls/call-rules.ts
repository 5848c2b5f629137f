import { EndpointBudget } from '../naming/endpoint-budget.ts';

/** What operators decide about calls whose tenant is known, or is not. */
export interface CallRules {
  readonly budget: EndpointBudget;
  /** Whether what nobody is said to pay for is no call. */
  readonly refusesUnknown: boolean;
}

/** What holds where nobody decides anything. */
export const everyCall = (): CallRules => ({
  budget: new EndpointBudget(Number.POSITIVE_INFINITY),
  refusesUnknown: false,
});
