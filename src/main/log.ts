import pino from 'pino';
import type { Log } from '../serve/index.ts';

/** Writes lines of JSON to standard error, at once. */
export function logger(level: string): Log {
  const destination = pino.destination({ dest: 2, sync: true });
  // A log that cannot be written must not end the server that would write it.
  destination.on('error', () => undefined);
  const log = pino({ level, base: undefined }, destination);
  return {
    info: (message, facts = {}) => log.info(facts, message),
    warn: (message, facts = {}) => log.warn(facts, message),
    error: (message, facts = {}) => log.error(facts, message),
  };
}
