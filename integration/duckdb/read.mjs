// Runs the SQL statements of a JSON array on standard input in one DuckDB, and
// prints an array of {names, types, rows}; values come as DuckDB prints them.
import { DuckDBInstance } from '@duckdb/node-api';
import { readFileSync } from 'node:fs';

const statements = JSON.parse(readFileSync(0, 'utf8'));
const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
await connection.run("SET TimeZone = 'UTC'");
const answers = [];
for (const sql of statements) {
  const result = await connection.runAndReadAll(sql);
  answers.push({
    names: result.columnNames(),
    types: result.columnTypes().map(String),
    rows: result.getRows().map((row) => row.map((value) => (value === null ? null : String(value)))),
  });
}
connection.closeSync();
process.stdout.write(JSON.stringify(answers));
