"""What a Python program does with psycopg2; its one argument is the server's address."""
import io
import sys

import psycopg2
import psycopg2.errors

conn = psycopg2.connect(sys.argv[1])
cur = conn.cursor()
cur.execute("CREATE TABLE items (id serial PRIMARY KEY, v vector(2), tags int[], data jsonb)")
cur.execute("CREATE INDEX ON items USING hnsw (v vector_l2_ops)")
conn.commit()
cur.execute("INSERT INTO items (v, tags, data) VALUES (%s, %s, %s) RETURNING id", ("[1,2]", [1, 2], '{"a": 1}'))
assert cur.fetchone() == (1,)
conn.commit()
try:
    cur.execute("INSERT INTO items (id) VALUES (1)")
    sys.exit("a duplicate key was taken")
except psycopg2.errors.UniqueViolation as e:
    assert e.diag.constraint_name == "items_pkey"
    conn.rollback()
cur.executemany("INSERT INTO items (v) VALUES (%s)", [("[%d,0]" % i,) for i in range(10)])
cur.copy_expert("COPY items (v) FROM STDIN", io.StringIO("[50,50]\n"))
conn.commit()
cur.execute("SELECT tags, data FROM items WHERE id = 1")
assert cur.fetchone() == ([1, 2], {"a": 1})
cur.execute("SELECT v FROM items ORDER BY v <-> %s LIMIT 1", ("[49,49]",))
assert cur.fetchone() == ("[50,50]",)
named = conn.cursor("some")
named.itersize = 3
named.execute("SELECT id FROM items")
assert len(named.fetchall()) == 12
conn.close()
print("done")
