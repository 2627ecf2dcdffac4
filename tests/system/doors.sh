#!/usr/bin/env bash
# Goal: the rooms of src/ know each other only in the direction of docs/design.md, and what is said there of single
# libraries, printing and clocks holds. Method: look at every include and at a few names. usage: doors.sh [BINARY]
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../../${DOORS_ROOT:-}" || exit 1
failed=0
complain() { echo "$1" >&2; failed=1; }

declare -A may=(
  [core]="core"
  [statistics]="core statistics"
  [table]="core statistics table"
  [evidence]="core statistics table evidence"
  [net]="core statistics table net"
  [graph]="core statistics table graph"
  [instruments]="core statistics table net graph instruments"
  [case]="core statistics table evidence net graph instruments case"
  [experiment]="core statistics table experiment"
  [lab]="core statistics table evidence net graph instruments case experiment lab"
  [report]="core statistics table evidence net graph instruments case report"
  [field]="core table evidence experiment field"
  [cli]="core statistics table evidence net graph instruments case experiment lab report field cli"
)

while IFS=: read -r file line text; do
  room=${file#src/}; room=${room%%/*}
  included=${text#*\"}; included=${included%%\"*}
  target=${included%%/*}
  if [[ -z ${may[$room]:-} ]]; then
    complain "$file:$line: the room '$room' is not in docs/design.md"
  elif [[ $included != */* ]]; then
    complain "$file:$line: \"$included\" must be named from src/, as \"room/file.hpp\""
  elif [[ " ${may[$room]} " != *" $target "* ]]; then
    complain "$file:$line: $room may not know $target ($included)"
  elif [[ $file == src/instruments/*/* && $included == instruments/*/* ]]; then
    own=${file#src/instruments/}; other=${included#instruments/}
    [[ ${own%%/*} == "${other%%/*}" || $file == src/instruments/registry.cpp ]] ||
      complain "$file:$line: instruments may not know each other ($included)"
  fi
done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' src --include='*.cpp' --include='*.hpp')

only_in() {  # only_in PATTERN FILE_PATTERN COUNT_MAX WHAT
  local users
  users=$(grep -rlE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($1)" src || true)
  [[ -z $users ]] && return
  while read -r file; do [[ $file =~ $2 ]] || complain "$file: $4 is not for this file"; done <<<"$users"
  (($(wc -l <<<"$users") <= $3)) || complain "$4 is included by more than $3 file(s): ${users//$'\n'/ }"
}
only_in 'duckdb' '^src/table/duckdb\.cpp$' 1 'duckdb.h'
only_in 'CLI/' '^src/cli/option_binding\.cpp$' 1 'CLI11'
only_in 'toml' '^src/case/' 1 'toml++'
only_in 'sqlite3' '^src/case/' 1 'sqlite3.h'
only_in 'sys/socket|netinet/|netdb' '^src/(field|lab|serve)/' 99 'a socket header'
only_in 'arpa/' '^src/(field|lab|serve)/|^src/net/address\.cpp$' 99 'a header of addresses'

# Below the command line nothing prints, exits, asks the environment or reads a clock or a locale.
silent=$(grep -rnE '\b(std::cout|std::cerr|std::clog|printf|fprintf|puts|fputs|getenv|setlocale|system_clock|steady_clock|gettimeofday|clock_gettime)\b|\bfmt::print\b|\bstd::exit\b|\b_exit\b|\babort\(|\bstd::rand\b|\brandom_device\b' \
  src --include='*.cpp' --include='*.hpp' | grep -vE '^src/(cli|field)/|snprintf|^[^:]+:[0-9]+:[[:space:]]*//' || true)
[[ -z $silent ]] || complain "below src/cli nothing may print, exit or read clock and environment:"$'\n'"$silent"

exit $failed
