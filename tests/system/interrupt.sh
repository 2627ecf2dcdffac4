#!/usr/bin/env bash
# Goal: Ctrl-C ends a long run soon with exit code 130 and leaves no output that looks whole; a second Ctrl-C is not
# needed; a later run over the same folder succeeds. Method: interrupt a run over generated posts. usage: interrupt.sh BINARY
set -u
unveil=$(realpath "$1")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work" || exit 1
fail() { echo "$1" >&2; exit 1; }

# Three million posts on few objects: seconds of work on any machine.
awk 'BEGIN { srand(1); print "account_id,object_id,content_id,timestamp_share";
  for (i = 0; i < 3000000; i++) printf "a%d,o%d,c%d,%d\n", rand() * 50000, rand() * 300, i, 1600000000 + rand() * 2000000 }' >posts.csv

for signal in INT TERM; do
  # A script's background jobs ignore SIGINT unless told otherwise, hence the setting of job control.
  set -m
  "$unveil" coordination posts.csv --out out --window 600s >stdout 2>stderr &
  pid=$!
  set +m
  sleep 0.7
  kill -$signal $pid || fail "the run was over before it could be interrupted; make it longer"
  start=$(date +%s)
  wait $pid; code=$?
  (($(date +%s) - start <= 5)) || fail "SIG$signal took more than 5 s to be heard"
  [[ $code == 130 ]] || { cat stderr; fail "exit code $code after SIG$signal, expected 130"; }
  grep -q 'stopped' stderr || { cat stderr; fail "nothing was said about the stop"; }
  [[ ! -e out/manifest.json && ! -e out/edges.csv ]] || fail "an interrupted run left results that look whole"
done

head -2001 posts.csv >few.csv
"$unveil" coordination few.csv --out out --window 600s >/dev/null 2>stderr || { cat stderr; fail "a later run failed"; }
[[ -e out/manifest.json ]] || fail "the later run wrote no manifest"
