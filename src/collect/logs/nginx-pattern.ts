import { instantOf } from './json-fields.ts';
import { nginxFields } from './nginx-fields.ts';
import type { Piece, Slot } from './pattern-piece.ts';

/** Families of variables that a call is not made of; they may stand in a pattern and are passed over. */
const PASSED =
  /^(?:https?_|sent_http_|sent_trailer_|upstream_|ssl_|cookie_|arg_|proxy_|geoip2?_|tcpinfo_|otel_|jwt_)\w/;
const PASSED_NAMES = new Set(
  (
    '_ binary_remote_addr bytes_received connection connection_requests connection_time content_length content_type ' +
    'document_root gzip_ratio hostname http2 http3 https ingress_name is_args limit_conn_status limit_rate ' +
    'limit_req_status namespace nginx_version pid pipe protocol realip_remote_port realpath_root remote_port ' +
    'request_body request_body_file request_completion request_filename scheme server_addr server_port service_name'
  ).split(' '),
);
const LOCAL_TIME = '10/Oct/2000:13:55:36 -0700';

/**
 * Cuts the text of a `log_format` into pieces. Quotes around its lines, as in the configuration file, may be there.
 *
 * Takes  problems: gets a sentence for each name that is not known; `$_` passes over a value.
 */
export function nginxPieces(text: string, problems: string[]): Piece[] {
  const plain = unquoted(text.trim());
  return plain.split(/(\$\{\w+\}|\$\w+)/).flatMap((part): Piece[] => {
    if (part === '') return [];
    const name = /^\$\{?(\w+)\}?$/.exec(part)?.[1];
    return [name === undefined ? part : slotOf(name.toLowerCase(), problems)];
  });
}

function slotOf(name: string, problems: string[]): Slot {
  const slot = { name: `$${name}`, isList: name.startsWith('upstream_') || name.includes('forwarded_for') };
  if (name === 'time_local') return { ...slot, time, end: (_, from) => from + LOCAL_TIME.length };
  if (name === 'time_iso8601' || name === 'msec') return { ...slot, time };
  const set = Object.hasOwn(nginxFields, name) ? nginxFields[name] : undefined;
  if (!set && !PASSED.test(name) && !PASSED_NAMES.has(name))
    problems.push(`the pattern has $${name}, which is no variable of nginx; $_ passes over a value`);
  return { ...slot, set };
}

const time = (text: string) => instantOf(text);

/** `'$a '\n  '$b'` of a configuration file is one text. */
function unquoted(text: string): string {
  return /^'.*'$/s.test(text) ? text.slice(1, -1).replace(/'\s*'/g, '') : text;
}
