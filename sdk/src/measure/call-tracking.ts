import { createHook, executionAsyncResource } from 'node:async_hooks';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Call } from '../call.ts';

/** Which calls are followed: every one; all unless they are so light that following them would show, then some; none. */
export type TrackingMode = 'every' | 'auto' | 'off';

type Resource = Record<symbol, Call | undefined>;

/** Calls that take less CPU than this are light: following each would cost a few hundredths of it. */
const LIGHT_MS = 0.25;
/** From fewer calls a second the mean says nothing, and what following costs does not show. */
const FEWEST_CALLS = 500;
const CHECK_EVERY_MS = 1_000;
const WINDOW_MS = 20;
const WINDOW_EVERY_MS = 400;
/** More calls than this a second need not be followed to say what they cost: windows are rarer then. */
const FOLLOWED_PER_SECOND = 200;
const LONGEST_BETWEEN_MS = 4_000;
/** Calls of a window are followed to their end, but not for longer than this. */
const LONGEST_WAIT_MS = 10_000;
const OUTBOUND_FOR_MS = 600_000;

/**
 * Follows calls through callbacks and promises: says whose code runs, and adds up for how long.
 *
 * Node runs one piece of code at a time. The time from the begin to the end of a piece is the main thread's time for the call that caused it; waiting is in
 * between pieces and is nobody's.
 *
 * From  docs/decisions/0026-cpu-by-slices.md
 */
export class CallTracking {
  readonly #mode: TrackingMode;
  readonly #random: () => number;
  readonly #hook;
  /** Where what goes on keeps its call; of each tracking its own, so that two in a program do not take each other's. */
  readonly #held = Symbol('taximeter.call');
  /** Whose code goes on when the running piece ends: pieces may run within others. */
  readonly #outer: (Call | null)[] = [];
  #current: Call | null = null;
  #sliceMs = 0;
  #isOn = false;
  /** Whether calls that begin now are followed. */
  #isOpen = false;
  #hasWindows = false;
  #shutMs = 0;
  /** Calls that are followed and have not ended; of a generation that was given up they do not count any more. */
  #followed = 0;
  #generation = 0;
  #outboundMs = Number.NEGATIVE_INFINITY;
  #window: NodeJS.Timeout | undefined;
  #checks: NodeJS.Timeout | undefined;
  #ended = 0;
  #isLight = false;
  #betweenMs = WINDOW_EVERY_MS;
  #cpuBefore = process.cpuUsage();
  #loopBefore: EventLoopUtilization = performance.eventLoopUtilization();
  /** How much of the main thread's time was CPU time: below 1 while the machine has other things to do. */
  #cpuShare = 1;

  /** Takes  random: spreads the windows, so that nothing that happens regularly is always in one, or never. */
  constructor(mode: TrackingMode, random: () => number) {
    this.#mode = mode;
    this.#random = random;
    const held = this.#held;
    this.#hook = createHook({
      init: (_id, _type, _trigger, resource) => {
        if (this.#current !== null) (resource as Resource)[held] = this.#current;
      },
      before: () => this.#enter((executionAsyncResource() as Resource)[held]),
      after: () => this.#leave(),
    });
    if (mode === 'off') return;
    this.#open();
    this.#checks = setInterval(() => this.#check(), CHECK_EVERY_MS).unref();
  }

  /** The call whose code runs; null where that is not known. */
  get current(): Call | null {
    return this.#current;
  }

  /** Gives the code that runs now, and what it causes, to a call. */
  begin(call: Call): void {
    if (!this.#isOpen) return;
    call.generation = this.#generation;
    this.#followed += 1;
    const now = performance.now();
    // What the piece did before it came to us was reading this call, unless another one began in it.
    if (this.#outer.length === 0 || this.#isLive(this.#current)) this.#add(now);
    this.#current = call;
    (executionAsyncResource() as Resource)[this.#held] = call;
  }

  /** Ends a call. Gives  the CPU time that was seen of it, in milliseconds; null when it was not followed to its end. */
  end(call: Call): number | null {
    this.#ended += 1;
    if (call.generation !== this.#generation) return null;
    if (this.#current === call) this.#add(performance.now());
    call.generation = -1;
    this.#followed -= 1;
    if (!this.#isOpen && this.#followed === 0) this.#disable();
    return call.cpuMs * this.#cpuShare;
  }

  /** Runs what belongs to no call. */
  outside<Value>(run: () => Value): Value {
    const before = this.#current;
    this.#add(performance.now());
    this.#current = null;
    try {
      return run();
    } finally {
      this.#sliceMs = performance.now();
      this.#current = before;
    }
  }

  /** Says that the program calls others: whose calls these are is worth what it costs. */
  sawOutbound(): void {
    this.#outboundMs = performance.now();
    if (this.#mode !== 'off' && this.#hasWindows) this.#leaveWindows();
  }

  close(): void {
    clearInterval(this.#checks);
    clearTimeout(this.#window);
    this.#isOpen = false;
    this.#disable();
  }

  #enter(call: Call | undefined): void {
    this.#outer.push(this.#current);
    this.#add(performance.now());
    this.#current = call !== undefined && this.#isLive(call) ? call : null;
  }

  #leave(): void {
    this.#add(performance.now());
    this.#current = this.#outer.pop() ?? null;
  }

  #isLive(call: Call | null): boolean {
    return call !== null && call.generation === this.#generation;
  }

  #add(now: number): void {
    const call = this.#current;
    if (call !== null && call.generation === this.#generation) call.cpuMs += now - this.#sliceMs;
    this.#sliceMs = now;
  }

  #open(): void {
    this.#isOpen = true;
    if (this.#isOn) return;
    this.#isOn = true;
    this.#outer.length = 0;
    this.#current = null;
    this.#hook.enable();
  }

  #shut(): void {
    this.#isOpen = false;
    this.#shutMs = performance.now();
    if (this.#followed === 0) this.#disable();
  }

  /** Calls that have not ended keep no figure: what they would do from now on is not seen. */
  #disable(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#generation += 1;
    this.#followed = 0;
    this.#current = null;
    this.#outer.length = 0;
    this.#hook.disable();
  }

  /** Once a second: are calls so light that following each would show? */
  #check(): void {
    const [calls, cpuMs] = [this.#ended, this.#cpuOfLast()];
    this.#ended = 0;
    if (this.#mode === 'every') return;
    if (calls >= FEWEST_CALLS) this.#isLight = cpuMs / calls < LIGHT_MS;
    const enoughMs = (WINDOW_MS * calls) / FOLLOWED_PER_SECOND;
    this.#betweenMs = Math.min(LONGEST_BETWEEN_MS, Math.max(WINDOW_EVERY_MS, enoughMs));
    const callsOthers = performance.now() - this.#outboundMs < OUTBOUND_FOR_MS;
    const wantsWindows = this.#isLight && !callsOthers;
    if (wantsWindows && !this.#hasWindows) {
      this.#hasWindows = true;
      this.#shut();
      this.#nextWindow();
    } else if (!wantsWindows && this.#hasWindows) this.#leaveWindows();
  }

  #leaveWindows(): void {
    this.#hasWindows = false;
    clearTimeout(this.#window);
    this.#open();
  }

  #nextWindow(): void {
    const afterMs = this.#betweenMs * (0.5 + this.#random());
    this.#window = setTimeout(() => {
      if (this.#isOn && performance.now() - this.#shutMs > LONGEST_WAIT_MS) this.#disable();
      this.#open();
      this.#window = setTimeout(() => {
        this.#shut();
        this.#nextWindow();
      }, WINDOW_MS).unref();
    }, afterMs).unref();
  }

  /** CPU milliseconds of all threads since this was last asked. */
  #cpuOfLast(): number {
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    this.#cpuBefore = process.cpuUsage();
    const { active } = performance.eventLoopUtilization(this.#loopBefore);
    this.#loopBefore = performance.eventLoopUtilization();
    const cpuMs = (user + system) / 1000;
    if (active > 0) this.#cpuShare = Math.min(1, cpuMs / active);
    return cpuMs;
  }
}
