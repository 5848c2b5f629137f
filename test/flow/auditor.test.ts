import { expect, test } from 'vitest';
import { describeWith } from '../support/available.ts';
import { sharedData } from '../support/data.ts';
import { audit } from './auditor/auditor.ts';
import { expectedOf, inputOf, realCases } from './real-case.ts';

for (const realCase of realCases) {
  describeWith(sharedData(realCase.name), `the auditor on ${realCase.name}`, (folder) => {
    test('gives what the program behind expected.json gave, digit for digit', () => {
      expect(audit(inputOf(realCase, folder))).toEqual(expectedOf(folder));
    });
  });
}
