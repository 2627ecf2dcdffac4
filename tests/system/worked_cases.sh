#!/usr/bin/env bash
# Goal: the case files of examples/ give the verdicts that their pages in docs/cases read, on real posts.
# Method: investigate each where its evidence lies; verdict and deciding sentence of every claim against committed lines; verify
# afterwards. Twitter's clock in the German posts is then set four hours forward, which must turn one verdict round.
# usage: worked_cases.sh BINARY        UNVEIL_CASES_UPDATE=1 rewrites the expected lines
set -euo pipefail
binary=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
examples=$here/../../examples
data=$here/../../../shared/data/posts
[[ -e $data/german_elections.csv.gz && -e $data/ira ]] || { echo "skipped: $data is not there"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: python3 is not there"; exit 77; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
failed=0
for name in autumn_2016 multi_platform real_posts; do
  "$binary" investigate "$examples/$name.toml" --out "$work/$name" --quiet >/dev/null
  python3 - "$work/$name/verdicts.json" >"$work/$name.txt" <<'PYTHON'
import json, sys
for verdict in json.load(open(sys.argv[1]))["verdicts"]:
    print(f'{verdict["claim"]}: {verdict["verdict"]}: {verdict["sentence"]}')
PYTHON
  expected=$here/worked_cases/$name.txt
  [[ -z ${UNVEIL_CASES_UPDATE:-} ]] || cp "$work/$name.txt" "$expected"
  diff "$expected" "$work/$name.txt" || failed=1
  "$binary" verify "$work/$name" --base "$examples" --quiet >/dev/null || { echo "$name does not verify"; failed=1; }
done

mkdir -p "$work/moved/examples" "$work/shared/data/posts"
python3 - "$data/german_elections.csv.gz" "$work/shared/data/posts/german_elections.csv.gz" <<'PYTHON'
import csv, gzip, sys
with gzip.open(sys.argv[1], "rt", newline="") as source, gzip.open(sys.argv[2], "wt", newline="") as target:
    rows = csv.DictReader(source)
    out = csv.DictWriter(target, rows.fieldnames)
    out.writeheader()
    for row in rows:
        if row["account_id"].startswith("tw_"):
            row["timestamp"] = int(row["timestamp"]) + 4 * 3600
        out.writerow(row)
PYTHON
cp "$data/russian_coord_tweets.csv.gz" "$work/shared/data/posts/"
grep -v '^sha256' "$examples/multi_platform.toml" >"$work/moved/examples/multi_platform.toml"
"$binary" investigate "$work/moved/examples/multi_platform.toml" --out "$work/moved/out" --quiet >/dev/null
python3 - "$work/moved/out/verdicts.json" <<'PYTHON' || failed=1
import json, sys
verdicts = {v["claim"]: v["verdict"] for v in json.load(open(sys.argv[1]))["verdicts"]}
if verdicts["one-in-twenty"] != "supported":
    sys.exit(f'with one clock, one-in-twenty is {verdicts["one-in-twenty"]}, not supported')
PYTHON
exit $failed
