import { type CST, Lexer, Parser } from 'yaml';
import { fail } from '../model/index.ts';

/** A file of this size is read in within a second, whatever stands in it. */
const MOST_BYTES = 1 << 20;
const MOST_TOKENS = 50_000;
const MOST_ALIASES = 50;
const MOST_DEPTH = 32;

/** The lexer puts this before the text of a scalar, which may look like anything. */
const SCALAR_FOLLOWS = '\u001f';

/**
 * Refuses a YAML text that would take long to understand, before anybody tries to.
 *
 * Fails  BODY_TOO_LARGE; DOCUMENT_INVALID with the line on which there is too much.
 */
export function checkDocumentSize(text: string): void {
  if (Buffer.byteLength(text) > MOST_BYTES) throw fail('BODY_TOO_LARGE', { limitBytes: MOST_BYTES });
  let line = 1;
  let tokens = 0;
  let aliases = 0;
  let before = '';
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    if (token.startsWith('*') && before !== SCALAR_FOLLOWS) aliases += 1;
    if (tokens > MOST_TOKENS) throw tooMuch(`the file says too much: at most ${MOST_TOKENS} words and signs`, line);
    if (aliases > MOST_ALIASES)
      throw tooMuch(`the file repeats itself too often: at most ${MOST_ALIASES} aliases`, line);
    for (let at = token.indexOf('\n'); at >= 0; at = token.indexOf('\n', at + 1)) line += 1;
    before = token;
  }
  checkDepth(text);
}

/** Walks without recursion: what it looks for would fill the stack. */
function checkDepth(text: string): void {
  let level: CST.Token[] = [...new Parser().parse(text)];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_DEPTH) {
      const { offset } = level[0] as { offset: number };
      throw tooMuch(`the file is nested deeper than ${MOST_DEPTH} levels`, text.slice(0, offset).split('\n').length);
    }
    level = level.flatMap(inside);
  }
}

function inside(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value ? [token.value] : [];
  if (!('items' in token)) return [];
  return token.items.flatMap(({ key, value }) => [key, value].filter((part) => part !== null && part !== undefined));
}

function tooMuch(message: string, line: number) {
  return fail('DOCUMENT_INVALID', { problems: 1 }, [{ message, line }]);
}
