#!/usr/bin/env bash
# Goal: the same findings and tables, byte for byte, for any number of threads, order of rows, memory limit and repetition.
# Method: 60,000 made-up shares and a ring of 20 accounts; one plain run against five others, kept by weight and by chance. usage: determinism.sh BINARY
set -euo pipefail
unveil=$(realpath "$1")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
awk 'BEGIN { srand(7); print "object_id,account_id,content_id,timestamp_share"
  for (i = 0; i < 60000; ++i) {
    object = int(3000 * rand() * rand()); time = 1600000000 + object * 40 + int(400 * rand() * rand())
    printf "o%d,\"a,%d\",p%d,%d\n", object, int(900 * rand() * rand()), i, time }
  for (object = 0; object < 30; ++object) for (account = 0; account < 20; ++account)
    if (rand() < 0.8) printf "r%d,ring%d,x%d_%d,%d\n", object, account, object, account, 1600000000 + object * 5000 + int(8 * rand()) }' >posts.csv
{ head -1 posts.csv; tail -n +2 posts.csv | sort -R --random-source=posts.csv; } >shuffled.csv
cmp -s posts.csv shuffled.csv && { echo "the rows were not shuffled"; exit 1; }
run() { local name=$1 input=$2; shift 2; "$unveil" coordination "$input" --window 10s,60s --min-weight 2 --quiet --out "$name" "$@" >/dev/null; }
failed=0
for keep in weight significant; do
  run plain posts.csv --threads 1 --keep $keep
  [[ $(wc -l <plain/edges.csv) -gt 100 ]] || { echo "the world is too quiet to tell anything"; exit 1; }
  run again posts.csv --threads 1 --keep $keep
  run threads posts.csv --threads 2 --keep $keep
  run shuffled shuffled.csv --threads 2 --keep $keep
  run spilled posts.csv --threads 2 --keep $keep --memory-limit 1MB
  run shuffled_spilled shuffled.csv --threads 1 --keep $keep --memory-limit 1MB
  for other in again threads shuffled spilled shuffled_spilled; do
    for file in findings.json edges.csv accounts.csv excluded_objects.csv fused.csv communities.csv tiers.csv community_history.csv; do
      cmp "plain/$file" "$other/$file" || failed=1
    done
  done
  cmp plain/manifest.json again/manifest.json && cmp plain/manifest.json threads/manifest.json || failed=1
  rm -r plain again threads shuffled spilled shuffled_spilled
done
exit $failed
