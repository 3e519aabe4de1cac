// LanceDB for `akidb-bench cold`. `lance.mjs build` makes a table with an index in
// the object store; `lance.mjs search` opens it and searches, one query after the
// other. What to do comes as JSON on standard input, the answer goes to standard output.
import * as lancedb from '@lancedb/lancedb';
import * as arrow from 'apache-arrow';
import { readFileSync } from 'node:fs';

const job = JSON.parse(readFileSync(0, 'utf8'));
const db = await lancedb.connect(job.uri, { storageOptions: job.storage });

function vectors(path, dim) {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

function batch(all, from, to, dim) {
  const type = new arrow.FixedSizeList(dim, new arrow.Field('item', new arrow.Float32(), true));
  const values = all.subarray(from * dim, to * dim);
  const list = arrow.makeData({ type, length: to - from, nullCount: 0, child: arrow.makeData({ type: new arrow.Float32(), data: values }) });
  const ids = arrow.makeData({ type: new arrow.Int32(), data: Int32Array.from({ length: to - from }, (_, i) => from + i) });
  return new arrow.Table({ id: arrow.makeVector(ids), vector: arrow.makeVector(list) });
}

async function build() {
  const all = vectors(job.base, job.dim);
  const rows = all.length / job.dim;
  const step = 25000;
  const started = performance.now();
  const table = await db.createTable(job.table, batch(all, 0, Math.min(step, rows), job.dim), { mode: 'overwrite' });
  for (let at = step; at < rows; at += step) await table.add(batch(all, at, Math.min(at + step, rows), job.dim));
  const loaded = performance.now();
  const options = { distanceType: job.metric, numPartitions: job.partitions };
  if (job.subVectors) options.numSubVectors = job.subVectors;
  await table.createIndex('vector', { config: lancedb.Index[job.index](options) });
  await table.waitForIndex?.(['vector_idx'], 600);
  return { loadMs: loaded - started, buildMs: performance.now() - loaded, rows: await table.countRows(), indices: await table.listIndices() };
}

// counts are the requests and bytes that went to the object store so far.
async function counts() {
  return job.counts ? (await fetch(job.counts)).json() : null;
}

async function search() {
  const queries = vectors(job.queries, job.dim);
  const traffic = [await counts()];
  const started = performance.now();
  const table = await db.openTable(job.table);
  const openMs = performance.now() - started;
  const ms = [], found = [];
  for (const q of job.picks) {
    const vector = queries.slice(q * job.dim, (q + 1) * job.dim);
    const before = performance.now();
    let query = table.query().nearestTo(vector).distanceType(job.metric).nprobes(job.probes).select(['id', '_distance']).limit(10);
    if (job.refine) query = query.refineFactor(job.refine);
    const rows = await query.toArray();
    ms.push(performance.now() - before);
    found.push(rows.map((r) => Number(r.id)));
    traffic.push(await counts());
  }
  return { openMs, ms, found, counts: traffic };
}

process.stdout.write(JSON.stringify(await (job.do === 'build' ? build() : search())), () => process.exit(0));
