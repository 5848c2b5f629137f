import type { LineOutcome, Outcome } from './counter-store.ts';

/** Of each line: before, after, fits, whether it is over, when it frees, when it resets. */
const FIGURES = 6;

/**
 * What became of a demand, with the figures of its lines side by side. Most callers only want to know whether the call may pass,
 * and there are many: objects are made of the figures when somebody looks at them.
 */
export class TakenOutcome implements Outcome {
  readonly isAdmitted: boolean;
  readonly granted: number;
  readonly nowUs: number;
  repeat: Outcome['repeat'] = 'none';
  #figures: number[];
  #lines: readonly LineOutcome[] | null = null;

  /** Takes  granted: -1 where nothing is. */
  constructor(granted: number, nowUs: number, lines: number) {
    this.isAdmitted = granted >= 0;
    this.granted = Math.max(0, granted);
    this.nowUs = nowUs;
    this.#figures = new Array<number>(lines * FIGURES);
  }

  put(
    line: number,
    before: number,
    after: number,
    fits: number,
    isOver: boolean,
    freesAtUs: number,
    resetsAtUs: number,
  ): void {
    const figures = this.#figures;
    const at = line * FIGURES;
    figures[at] = before;
    figures[at + 1] = after;
    figures[at + 2] = fits;
    figures[at + 3] = isOver ? 1 : 0;
    figures[at + 4] = freesAtUs;
    figures[at + 5] = resetsAtUs;
  }

  get lines(): readonly LineOutcome[] {
    if (this.#lines !== null) return this.#lines;
    const lines: LineOutcome[] = [];
    const figures = this.#figures;
    for (let at = 0; at < figures.length; at += FIGURES)
      lines.push({
        before: figures[at]!,
        after: figures[at + 1]!,
        fits: figures[at + 2]!,
        isOver: figures[at + 3] === 1,
        freesAtUs: figures[at + 4]!,
        resetsAtUs: figures[at + 5]!,
      });
    this.#lines = lines;
    return lines;
  }

  /** The same, for somebody who asks for it again. */
  again(repeat: Exclude<Outcome['repeat'], 'none'>): TakenOutcome {
    const again = new TakenOutcome(this.isAdmitted ? this.granted : -1, this.nowUs, 0);
    again.repeat = repeat;
    again.#figures = this.#figures;
    return again;
  }
}
