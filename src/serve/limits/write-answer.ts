import { STATUS_CODES } from 'node:http';
import type { Answer } from '../answer.ts';

// What must not be in the value of a header; the runtime's server refuses the same.
const NOT_OF_A_VALUE = /[^\t\x20-\x7e]/;

/** Writes an answer as HTTP/1.1, on a connection that stays. Fails  as a bug where a value would end its header. */
export function writeAnswer({ status, headers, body }: Answer): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  for (const name in headers) {
    const value = headers[name]!;
    if (NOT_OF_A_VALUE.test(value)) throw new TypeError(`a header of an answer has a wrong value: ${name}`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}content-length: ${Buffer.byteLength(body)}\r\ndate: ${date()}\r\nconnection: keep-alive\r\nkeep-alive: timeout=65\r\n\r\n${body}`;
}

let writtenSecond = 0;
let written = '';

/** Written once a second. */
function date(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== writtenSecond) {
    writtenSecond = second;
    written = new Date(second * 1000).toUTCString();
  }
  return written;
}
