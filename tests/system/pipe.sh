#!/usr/bin/env bash
# Goal: a reader that leaves early is no failure and no noise; a full disk is a failure and is told. usage: pipe.sh BINARY
set -u
unveil=$(realpath "$1")
fail() { echo "$1" >&2; exit 1; }

for command in "list" "help" "man" "completion zsh" "list --json"; do
  said=$({ "$unveil" $command 2>&1 >&3 | cat; exit "${PIPESTATUS[0]}"; } 3> >(head -c 1 >/dev/null; sleep 0.2)) ||
    fail "'unveil $command' into a closed pipe ended with $?"
  [[ -z $said ]] || fail "'unveil $command' into a closed pipe said: $said"
done
# The reader has left before the first byte.
said=$({ sleep 0.3; "$unveil" help 2>&1 >&3; } 3> >(:)) || fail "a reader that had left ended 'unveil help' with $?"
[[ -z $said ]] || fail "a reader that had left made 'unveil help' say: $said"

if [[ -w /dev/full ]]; then
  said=$("$unveil" help 2>&1 >/dev/full); code=$?
  [[ $code == 1 ]] || fail "a full disk ended 'unveil help' with $code, expected 1"
  [[ $said == *"could not be written"* ]] || fail "a full disk was not told: $said"
fi
said=$("$unveil" help 2>&1 >&-); code=$?
[[ $code == 1 && $said == *"could not be written"* ]] || fail "a closed stdout ended with $code: $said"
