#!/bin/bash
# smoke-test-rc2.sh [IMAGE]: the smoke test of release candidate 2, on the built image
# with MinIO beside it: create a collection, insert, demote to the bucket, search there,
# compare the results with those before, look at the metrics. Once by psql, once by
# curl. Ends with 0 if all is as it should be. It needs Docker, psql and curl.
#
#   MINIO_IMAGE   MinIO's image (minio/minio:latest; scripts/minio-image.sh makes one)
#   KEEP=1        leave the containers for a look at them
set -euo pipefail
cd "$(dirname "$0")"
image=${1:-${AKIDB_IMAGE:-akidb/akidb:2.0.0-rc2}}
minio_image=${MINIO_IMAGE:-minio/minio:latest}
name=akidb-smoke-$$
work=$(mktemp -d)
step() { printf '== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
cleanup() {
  code=$?
  if [ $code != 0 ]; then docker logs --tail 40 "$name-db" >&2 || true; fi
  if [ -z "${KEEP:-}" ]; then
    docker rm -f -v "$name-db" "$name-minio" >/dev/null 2>&1 || true
    docker network rm "$name" >/dev/null 2>&1 || true
  fi
  rm -rf "$work"
  exit $code
}
trap cleanup EXIT

step "start MinIO and AkiDB ($image)"
docker network create "$name" >/dev/null
docker run -d --name "$name-minio" --network "$name" --network-alias minio -e MINIO_ROOT_USER=akidb -e MINIO_ROOT_PASSWORD=akidb-secret \
  "$minio_image" server /data >/dev/null
store=(-e AKIDB_S3_ENDPOINT=http://minio:9000 -e AKIDB_S3_BUCKET=akidb -e AKIDB_S3_CREATE_BUCKET=true
  -e AKIDB_S3_ACCESS_KEY=akidb -e AKIDB_S3_SECRET_KEY=akidb-secret)
for _ in $(seq 60); do # each asks for some seconds itself
  if docker run --rm --network "$name" "${store[@]}" "$image" store check >"$work/store" 2>&1; then break; fi
done
cat "$work/store"
grep -q '^ok' "$work/store" || fail "the bucket does not work"
docker run -d --name "$name-db" --network "$name" -p 127.0.0.1::5432 -p 127.0.0.1::8080 -e POSTGRES_PASSWORD=smoke "${store[@]}" "$image" >/dev/null
port=$(docker port "$name-db" 5432/tcp | head -1 | sed 's/.*://')
http=http://127.0.0.1:$(docker port "$name-db" 8080/tcp | head -1 | sed 's/.*://')
for _ in $(seq 100); do
  if curl -fsS "$http/readyz" >/dev/null 2>&1; then break; fi
  sleep 0.1
done
curl -fsS "$http/readyz" >/dev/null || fail "the server is not ready"
docker exec "$name-db" /akidb health >/dev/null || fail "akidb health"

export PGPASSWORD=smoke
sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U postgres postgres "$@"; }
rest() { curl -fsS -u postgres:smoke -H 'Content-Type: application/json' "$@"; }
# vector SEED: 512 numbers as JSON, the same for the same seed.
vector() { awk -v seed="$1" 'BEGIN { srand(seed); printf "["; for (i = 0; i < 512; i++) printf "%s%.5f", i ? "," : "", 2 * rand() - 1; printf "]" }'; }
metric() { curl -fsS "$http/metrics" | awk -v want="$1" 'index($0, want) == 1 { total += $NF } END { print total + 0 }'; }
# at_least METRIC NUMBER
at_least() {
  local is
  is=$(metric "$1")
  awk -v a="$is" -v b="$2" 'BEGIN { exit !(a >= b) }' || fail "metric $1 is $is, not $2 or more"
  printf '   %s %s\n' "$1" "$is"
}

step "psql: create, insert 1,000 rows, search"
sql <<'SQL'
CREATE TABLE smoke (id bigint PRIMARY KEY, label text, embedding vector(64));
SELECT setseed(0.5);
INSERT INTO smoke SELECT i, 'row ' || i, (SELECT array_agg(random() - 0.5 + (i + j) * 0)::vector(64) FROM generate_series(1, 64) j) FROM generate_series(1, 1000) i;
CREATE INDEX ON smoke USING hnsw (embedding vector_cosine_ops);
SQL
search="SELECT id, label FROM smoke ORDER BY embedding <=> (SELECT embedding FROM smoke WHERE id = 500) LIMIT 10"
sql -c "$search" >"$work/hot"
[ "$(wc -l <"$work/hot")" = 10 ] || fail "the hot search found $(wc -l <"$work/hot") rows"
[ "$(head -1 "$work/hot")" = "500|row 500" ] || fail "the nearest row is $(head -1 "$work/hot")"

step "psql: demote to the bucket, search there"
sql -c "ALTER COLLECTION smoke SET TIER cold WAIT"
tier=$(sql -c "SELECT tier, rows, object_bytes > 0 FROM akidb.collection_tiers WHERE name = 'smoke'")
[ "$tier" = "cold|1000|t" ] || fail "the collection is $tier"
sql -c "$search" >"$work/cold"
same=$(comm -12 <(sort "$work/hot") <(sort "$work/cold") | wc -l)
[ "$same" -ge 9 ] || fail "only $same of 10 rows are the same in the cold tier"
[ "$(head -1 "$work/cold")" = "500|row 500" ] || fail "the nearest row is $(head -1 "$work/cold")"
[ "$(sql -c "SELECT count(*), sum(id) FROM smoke")" = "1000|500500" ] || fail "rows are missing in the cold tier"

step "curl: create, insert 100 vectors, search"
rest -X POST "$http/collections" -d '{"name":"test","dimension":512,"metric":"cosine"}' >/dev/null
for i in $(seq 100); do
  printf '{"vector":%s}' "$(vector "$i")" >"$work/body"
  rest -X POST "$http/collections/test/vectors" -d @"$work/body" >/dev/null
done
printf '{"vector":%s,"k":10}' "$(vector 42)" >"$work/query"
ids() { grep -o '"id": *[0-9]*' | tr -dc '0-9\n' | sort -n | tr '\n' ' '; }
rest -X POST "$http/collections/test/search" -d @"$work/query" >"$work/answer"
ids <"$work/answer" >"$work/hot"
[ "$(wc -w <"$work/hot")" = 10 ] || fail "the hot search answered $(cat "$work/answer")"

step "curl: demote to the bucket, search there"
rest -X POST "$http/collections/test/tier" -d '{"tier":"cold","wait":true}' >/dev/null
rest "$http/collections/test/tier" >"$work/tier"
grep -q '"tier": *"cold"' "$work/tier" || fail "the collection is $(cat "$work/tier")"
rest -X POST "$http/collections/test/search" -d @"$work/query" >"$work/answer"
ids <"$work/answer" >"$work/cold"
same=$(comm -12 <(tr ' ' '\n' <"$work/hot" | sort) <(tr ' ' '\n' <"$work/cold" | sort) | grep -c .)
[ "$same" -ge 9 ] || fail "only $same of 10 ids are the same: $(cat "$work/hot") and $(cat "$work/cold")"

step "a snapshot, restored under another name"
sql -c "CREATE SNAPSHOT smoke_snapshot OF smoke" -c "RESTORE SNAPSHOT smoke_snapshot AS smoke_restored"
[ "$(sql -c "SELECT count(*), sum(id) FROM smoke_restored")" = "1000|500500" ] || fail "rows are missing in the restored collection"

step "metrics"
at_least akidb_tier_demotions_total 2
at_least akidb_snapshot_creates_total 1
at_least akidb_snapshot_restores_total 1
at_least akidb_objectstore_upload_bytes_total 10000
at_least akidb_objectstore_requests_total 10
at_least 'akidb_search_duration_seconds_count{index=' 2
at_least akidb_statements_total 10

step "a restart keeps it"
docker restart -t 20 "$name-db" >/dev/null
port=$(docker port "$name-db" 5432/tcp | head -1 | sed 's/.*://')
for _ in $(seq 100); do
  if sql -c "SELECT 1" >/dev/null 2>&1; then break; fi
  sleep 0.1
done
[ "$(sql -c "SELECT count(*), sum(id) FROM smoke")" = "1000|500500" ] || fail "rows are missing after a restart"
printf 'smoke test passed\n'
