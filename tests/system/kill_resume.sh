#!/usr/bin/env bash
# Goal: `kill -9` at any moment of `investigate`, then the same command again, ends in the same files to the last byte.
# Method: one undisturbed investigation for reference; then rounds in fresh folders, each killed several times after
# seeded random shares of the reference's duration, then run to the end; sha256 of every file compared.
# usage: kill_resume.sh BINARY [ROUNDS]
set -u
binary=$(realpath "$1"); rounds=${2:-20}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
fail() { echo "kill_resume: $*" >&2; exit 1; }

if "$binary" lab make takedown --seed 7 --scale 20000 --out case >/dev/null 2>"$work/lab.log"; then
  case_file=case/case.toml
else
  mkdir -p case; case_file=case/case.toml
  awk 'BEGIN {
    srand(7); print "account,object,content,time"
    for (i = 0; i < 60000; ++i)
      printf "user%04d,o%d,c%d,%d\n", int(rand() * 3000), int(rand() * 4000), i, 1600000000 + int(rand() * 864000)
  }' >case/posts.csv
  cat >$case_file <<'TOML'
[case]
title = "A made-up crowd"
[[evidence]]
id = "posts"
path = "posts.csv"
columns = { account = "account", object = "object", content = "content", time = "time" }
[[claim]]
id = "tight"
text = "Many pairs of accounts share objects within a minute."
test = "coordination"
with = { window = "60s", pairs = true }
holds = ["co-share.edges >= 10"]
[[claim]]
id = "loose"
text = "More of them do within an hour."
test = "coordination"
with = { window = "1h", pairs = true }
holds = ["co-share.edges >= 10"]
TOML
fi

digests() { (cd "$1" && find . -type f | LC_ALL=C sort | xargs -d '\n' sha256sum; find . -mindepth 1 -type d | LC_ALL=C sort); }
investigate() { "$binary" investigate $case_file --out "$1" --quiet --no-progress >"$work/stdout" 2>"$work/stderr"; }

begin=$(date +%s%N)
investigate case/reference || fail "the reference failed: $(cat stderr)"
duration_ms=$(( ($(date +%s%N) - begin) / 1000000 + 1 ))
digests case/reference >reference.digests
cp stdout reference.stdout

RANDOM=7
killed=0
# On a machine that became faster since the reference, further rounds kill sooner.
for (( round = 1; round <= rounds || (killed < rounds && round <= 4 * rounds); ++round )); do
  out=case/round$round
  for kill in 1 2 3; do
    "$binary" investigate $case_file --out $out --quiet --no-progress >/dev/null 2>&1 &
    child=$!
    # Spread over the whole duration, the first and last moments too.
    delay_ms=$(( duration_ms * (RANDOM % 1000) / 950 / (1 + 2 * ((round - 1) / rounds)) ))
    sleep "$(printf '%d.%03d' $((delay_ms / 1000)) $((delay_ms % 1000)))"
    kill -9 $child 2>/dev/null && killed=$((killed + 1))
    wait $child 2>/dev/null
  done
  investigate $out || fail "round $round did not go on: $(cat stderr)"
  digests $out >round.digests
  diff reference.digests round.digests >&2 || fail "round $round ended in other bytes"
  diff reference.stdout stdout >&2 || fail "round $round printed something else"
  rm -rf "$out"
done
(( killed >= rounds )) || fail "only $killed processes were still running when they were to be killed"
"$binary" verify case/reference >verify.log || fail "the reference does not verify: $(cat verify.log)"
echo "kill_resume: $((round - 1)) rounds, $killed kills, same bytes ($duration_ms ms undisturbed)"
