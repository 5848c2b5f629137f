// Imports a bill and says how far it is, to be killed on the way: kill-import.ts FOLDER FILE
import { importBill } from '../../src/bill/index.ts';
import { openStore } from '../../src/store/index.ts';

const [folder, path] = process.argv.slice(2);
const store = await openStore({ folder: folder! });
const { columns } = store;
const { insertFile } = columns;
// The rows are in the engine and nothing says yet that they count: the moment that matters most.
columns.insertFile = async (...given) => {
  process.stdout.write('loading\n');
  await insertFile.apply(columns, given);
  process.stdout.write('loaded\n');
};
process.stdout.write('opened\n');
await importBill(store, [{ name: 'bill.csv', path: path! }], {
  format: 'auto',
  replace: false,
  now: new Date(),
  progress: (rows) => void process.stdout.write(`${rows}\n`),
});
process.stdout.write('done\n');
await store.close();
process.exit(0);
