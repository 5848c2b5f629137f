import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Deadline, Deadlines } from './deadlines.ts';

const step = fc.record({
  what: fc.constantFrom('add', 'add', 'add', 'move', 'remove', 'next'),
  atUs: fc.nat(50),
  which: fc.nat(),
});

it('takes out what is due, the earliest first, each once and at the time it was moved to', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const due = new Deadlines();
      const left = new Map<string, Deadline>();
      steps.forEach(({ what, atUs, which }, i) => {
        const chosen = [...left.values()][which % Math.max(1, left.size)];
        if (what === 'add') left.set(String(i), due.add(atUs, String(i)));
        else if (what === 'move') {
          if (chosen !== undefined) due.move(chosen, atUs);
        } else if (what === 'remove') {
          if (chosen !== undefined) due.remove(chosen);
          left.delete(chosen?.key ?? '');
        } else {
          const earliest = Math.min(...[...left.values()].map((each) => each.atUs));
          const key = due.next(atUs);
          if (earliest > atUs) expect(key).toBe(null);
          else expect(left.get(key!)!.atUs).toBe(earliest);
          left.delete(key!);
        }
      });
      const rest: number[] = [];
      for (let key = due.next(50); key !== null; key = due.next(50)) {
        rest.push(left.get(key)!.atUs);
        left.delete(key);
      }
      expect(left.size).toBe(0);
      expect(rest).toEqual([...rest].sort((a, b) => a - b));
    }),
  );
});
