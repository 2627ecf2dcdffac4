#!/usr/bin/env bash
# Goal: whenever `unveil probe` is killed, the log goes on, no message is sent that is not in it, and what was under way counts as unknown.
# Method: a platform that writes down all it receives; kill -9 after some messages, again and again, until the campaign is done; then both lists are compared.
# usage: probe_kill.sh BINARY
set -euo pipefail
binary=$(realpath "$1")
command -v python3 >/dev/null || { echo "skipped: python3 is not there"; exit 77; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
cat >platform.py <<'PYTHON'
import json, sys, time
for line in sys.stdin:
    message = json.loads(line)
    with open("received.txt", "a") as log:
        log.write(json.dumps([message["context"], message["text"]]) + "\n")
    time.sleep(0.006)
    text = message["text"]
    blocked = "banned" in text or ("tank" in text and "june" in text) or ("rose" in text and message["context"] == "cn")
    print(json.dumps({"outcome": "blocked" if blocked else "passed"}), flush=True)
PYTHON
printf 'nothing at all\nwhen the tanks came that june morning\na rose is a rose\n' >news.txt
probe=("$binary" probe news.txt --context "cn=exec python3 platform.py" --context "ca=exec python3 platform.py" --known-blocked banned --known-passed hello
  --interval 0 --out log.jsonl --own-accounts --quiet)
kills=0; touch received.txt
for ((round = 1; round <= 60; ++round)); do
  # By messages, not by time, so that a slow machine is killed as often.
  before=$(wc -l <received.txt)
  "${probe[@]}" >out.txt 2>&1 & pid=$!
  while kill -0 "$pid" 2>/dev/null && (($(wc -l <received.txt) <= before + round * 7 % 20)); do sleep 0.005; done
  if kill -9 "$pid" 2>/dev/null; then kills=$((kills + 1)); fi
  wait "$pid" 2>/dev/null && break || true
  # The platform lives on for a moment and may still write down what it was sent.
  sleep 0.05
done
"${probe[@]}" >out.txt
grep -q 'certified  banned' out.txt && grep -q 'certified  june + tank' out.txt && grep -q 'certified  rose' out.txt || { echo "the rules were not found"; cat out.txt; exit 1; }
"$binary" inspect log.jsonl >/dev/null
python3 - "$kills" <<'PYTHON'
import collections, json, sys
received = collections.Counter(tuple(json.loads(line)) for line in open("received.txt"))
trials = [json.loads(line) for line in open("log.jsonl")][1:]
logged = collections.Counter((t["context"], t["input"]) for t in trials)
unknown = sum(t["outcome"] == "unknown" for t in trials)
twice = {m: (n, logged[m]) for m, n in received.items() if n > logged[m]}
assert not twice, f"sent more often than the log says: {twice}"
again = collections.Counter()
for t in trials:
    message = (t["context"], t["input"])
    assert t["step"] == "control" or message not in again, f"sent again although it may have arrived: {message}"
    again[message] += t["outcome"] == "unknown" and t["step"] != "control"
    again = +again
lost = sum(logged.values()) - sum(received.values())
assert 0 <= lost <= unknown, f"{lost} logged messages never arrived, {unknown} are unknown"
print(f"{sys.argv[1]} kills, {len(trials)} trials, {unknown} unknown, {lost} of them never arrived")
PYTHON
