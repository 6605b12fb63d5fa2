// Holds the write lock of a SQLite file for a while, as a backup or a careless operator does. Says when it has it.
import Sqlite from 'better-sqlite3';

const [file = '', ms = '0'] = process.argv.slice(2);
const database = new Sqlite(file, { timeout: 5_000 });
database.exec('BEGIN IMMEDIATE');
process.stdout.write('locked\n');
setTimeout(() => {
  database.exec('COMMIT');
  database.close();
}, Number(ms));
