#!/usr/bin/env bash
# How often is `unveil coordination` wrong where it is known who acts together? Prints the tables of
# docs/instruments/coordination.md as Markdown: planted and null worlds of the lab under every rule that keeps edges.
# usage: scripts/error_rates.sh [SMALL [LARGE [NULL]]]     worlds of 20,000 and of 100,000 posts, null worlds; default 10 5 40
# UNVEIL names the program, else it is build/release/bin/unveil. Intervals: 95 %, Clopper-Pearson; accounts of one world
# are not independent, so they are too narrow. Under two minutes on one core.
set -euo pipefail
usage() { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
[[ $# -le 3 ]] || usage
small=${1:-10}; large=${2:-5}; null=${3:-40}
for count in "$small" "$large" "$null"; do
  [[ $count =~ ^[1-9][0-9]{0,3}$ ]] || { echo "error_rates.sh: '$count' is not a number of worlds, 1 to 9999" >&2; usage; }
done
project=$(cd "$(dirname "$0")/.." && pwd)
unveil=${UNVEIL:-$project/build/release/bin/unveil}
[[ -x $unveil ]] || { echo "error_rates.sh: no program at $unveil; build it with ./run --version, or set UNVEIL" >&2; exit 1; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

quietly() {
  "$@" --quiet --threads 1 >"$work/out" 2>"$work/err" && return
  echo "error_rates.sh: '$*' failed:" >&2; tail -3 "$work/err" >&2; exit 1
}

# name of a rule -> its options
rules=("beyond chance, q <= 0.05" "beyond chance, q <= 0.01" "all traces fused, q <= 0.05" "disparity, alpha 0.05" "marginal likelihood, alpha 0.05"
  "weight >= 3" "weight above its 0.5 quantile" "weight above its 0.9 quantile" "weight above its 0.99 quantile")
options() {
  case $1 in
    "beyond chance, q <= "*) echo "--keep significant --alpha ${1##* }" ;;
    "all traces fused, q <= "*) echo "--keep significant --alpha ${1##* }" ;;
    "disparity, alpha "*) echo "--keep disparity --alpha ${1##* }" ;;
    "marginal likelihood, alpha "*) echo "--keep marginal-likelihood --alpha ${1##* }" ;;
    "weight >= "*) echo "--keep weight --min-weight ${1##* }" ;;
    "weight above its "*)
      read -r _ _ _ quantile _ <<<"$1"; echo "--keep weight --min-weight 2 --edge-weight $quantile" ;;
  esac
}

# hits and trials of one trace from `lab score --json`: accounts, edges (precision recall false positives), false edges by class
counts() {
  awk -v trace="\"trace\":\"$1\"" '
    function rate(part, name,   at, numbers) {
      at = index(part, "\"" name "\":{\"hits\":")
      split(substr(part, at + length(name) + 11), numbers, /[^0-9]+/)
      return numbers[1] " " numbers[2]
    }
    {
      rows = substr($0, index($0, "\"rows\":["))
      at = index(rows, trace)
      # A trace that kept nothing has no row of its own; overall then says what there was to find.
      part = at > 0 ? substr(rows, at) : $0
      edges = substr(part, index(part, "\"edges\":{"))
      classes = substr(edges, index(edges, "\"false_by_class\":{") + 18)
      classes = substr(classes, 1, index(classes, "}") - 1)
      gsub(/"/, "", classes)
      print rate(part, "precision"), rate(part, "recall"), rate(part, "false_positive_rate"), \
            rate(edges, "precision"), rate(edges, "recall"), rate(edges, "false_positive_rate"), classes
    }' "$2"
}

# One line a rule: sums over worlds.
table() {
  awk -v form="$1" -v worlds="$2" -v rule="$3" '
    # P(X <= k) of a binomial, from logarithms.
    function below(k, n, p,   i, term, sum) {
      term = n * log(1 - p); sum = 0
      for (i = 0; i <= k; ++i) { if (term > -700) sum += exp(term); term += log((n - i) / (i + 1)) + log(p / (1 - p)) }
      return sum
    }
    function bound(k, n, wanted,   low, high, middle, i) {
      low = 1e-15; high = 1 - 1e-15
      for (i = 0; i < 200; ++i) { middle = sqrt(low * high); if (below(k, n, middle) > wanted) low = middle; else high = middle }
      return low
    }
    function interval(k, n, unit, form) {
      if (n == 0) return "-"
      if (k == 0) return "0 (at most " sprintf(form, unit * bound(0, n, 0.025)) ")"
      return sprintf(form, unit * k / n) " (" sprintf(form, unit * bound(k - 1, n, 0.975)) " to " \
             (k == n ? sprintf(form, unit) : sprintf(form, unit * bound(k, n, 0.025))) ")"
    }
    function grouped(n,   text) {
      text = sprintf("%d", n)
      while (match(text, /[0-9][0-9][0-9][0-9]($|,)/)) text = substr(text, 1, RSTART) "," substr(text, RSTART + 1)
      return text
    }
    {
      for (i = 1; i <= 12; ++i) sum[i] += $i
      false_worlds += $11 > 0
      count = split($13, classes, ",")
      for (i = 1; i <= count; ++i) { split(classes[i], pair, ":"); if (!(pair[1] in by)) order[++named] = pair[1]; by[pair[1]] += pair[2] }
    }
    END {
      for (i = 2; i <= named; ++i)
        for (j = i; j > 1 && (by[order[j]] > by[order[j - 1]] || (by[order[j]] == by[order[j - 1]] && order[j] < order[j - 1])); --j) {
          swap = order[j]; order[j] = order[j - 1]; order[j - 1] = swap
        }
      for (i = 1; i <= named; ++i) who = who (i > 1 ? ", " : "") grouped(by[order[i]]) " " order[i]
      if (who == "") who = "-"
      if (form == "planted")
        printf "| %s | %s of %s | %s of %s | %s of %s | %s | %s |\n", rule, grouped(sum[3]), grouped(sum[4]), grouped(sum[9]), grouped(sum[10]),
               grouped(sum[7]), grouped(sum[8]), interval(sum[5], sum[6], 100, "%.2g %%"), who
      else
        printf "| %s | %d of %d | %s | %s | %s |\n", rule, false_worlds, worlds, interval(sum[5], sum[6], 100, "%.2g %%"),
               interval(sum[11], sum[12], 1, "%.2g"), who
    }'
}

# Makes worlds 1 to $2 of $3 posts with the further options of `lab make`, and prints a table of the form $1.
measure() {
  local form=$1 worlds=$2 posts=$3 seed r trace chosen; shift 3
  rm -f "$work"/counts.*
  for ((seed = 1; seed <= worlds; ++seed)); do
    quietly "$unveil" lab make takedown --scale "$posts" --seed "$seed" --out "$work/world" --force "$@"
    for r in "${!rules[@]}"; do
      rm -rf "$work/result"
      trace=co-retweet; chosen=(--traces co-retweet)
      [[ ${rules[r]} != "all traces fused"* ]] || { trace=fused; chosen=(--traces auto); }
      # shellcheck disable=SC2046
      quietly "$unveil" coordination "$work/world/tweets.csv" --window 60s "${chosen[@]}" --communities off \
        $(options "${rules[r]}") --out "$work/result"
      quietly "$unveil" lab score --findings "$work/result" --truth "$work/world/truth.json" --json
      counts "$trace" "$work/out" >>"$work/counts.$r"
    done
  done
  for r in "${!rules[@]}"; do table "$form" "$worlds" "${rules[r]}" <"$work/counts.$r"; done
}

planted_head() {
  printf '\n**%s**\n\n' "$1"
  echo "| rule | planted accounts found | planted pairs found | of the edges kept, planted | other accounts taken for planted | false edges by class |"
  echo "|---|---|---|---|---|---|"
}
grouped() { printf "%d" "$1" | sed -E ':a; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; ta'; }

echo "\`co-retweet\`, 60 s, everything else by default; $("$unveil" --version | cut -d' ' -f1-2)."
planted_head "20,000 posts, two campaigns of 25 accounts, seeds 1-$small"
measure planted "$small" 20000
planted_head "100,000 posts, two campaigns of 40 accounts, seeds 1-$large"
measure planted "$large" 100000
printf '\n**%s posts, nobody planted, seeds 1-%s**\n\n' "$(grouped 20000)" "$null"
echo "| rule | worlds with a false edge | accounts on false edges | false edges among all pairs of accounts | who |"
echo "|---|---|---|---|---|"
measure null "$null" 20000 --campaigns 0
