import { BAD_TIME } from './calendar.ts';
import { ClfClock } from './clf-clock.ts';
import { lineParser } from './line-parser.ts';
import { type LogFormat, newLogLine, type Parsed } from './log-line.ts';
import { count, microseconds, PER_MILLISECOND, statusCode } from './quantities.ts';
import { addRequestText } from './request-line.ts';
import { fieldsOf, present, unescaped } from './text-fields.ts';

const FIELDS = 30;
/** Request, status, error, four numbers: what no line is without. */
const FEWEST = 11;

/** From https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html; fields were added at the end over the years. */
export const s3: LogFormat = {
  name: 'aws-s3',
  open() {
    const clock = new ClfClock();
    return lineParser((text) => parse(text, clock));
  },
};

function parse(text: string, clock: ClfClock): Parsed {
  const open = text.indexOf(' [');
  const tsUs = open < 0 ? -1 : clock.read(text, open + 2);
  if (tsUs < 0) return tsUs === BAD_TIME ? 'time_invalid' : 'line_malformed';
  const hasOwnerAndBucket = /^[^\s"]+ [^\s"]+$/.test(text.slice(0, open));
  const fields = fieldsOf(text, clock.end + 2, FIELDS)?.map((field) => field.text);
  if (!hasOwnerAndBucket || !text.startsWith('] ', clock.end) || !fields || fields.length < FEWEST)
    return 'line_malformed';
  const [ip, requester, requestId, operation, , request, status, , bytes, , total, , , agent, , , , , , host] = fields;
  // Every operation names its kind first: REST.GET.OBJECT, BATCH.DELETE.OBJECT, S3.EXPIRE.OBJECT.
  if (!/^[A-Z\d]+\.[\w.]+$/.test(operation!) || !/^(?:\d{3}|-)$/.test(status!)) return 'line_malformed';
  const line = newLogLine(tsUs);
  line.clientIp = present(ip);
  line.user = present(requester);
  line.requestId = present(requestId);
  addRequestText(line, request!);
  line.status = statusCode(status);
  line.bytesOut = count(bytes);
  line.durationUs = microseconds(total, PER_MILLISECOND);
  line.userAgent = present(agent && unescaped(agent));
  line.host = present(host);
  return line;
}
