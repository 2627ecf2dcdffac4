#!/usr/bin/env bash
# Goal: every command answers --help and `help`, in width for the terminal, and its options are known to completion and
# manual page. Method: ask the binary for its commands, then each command. usage: help.sh BINARY
set -u
unveil=$(realpath "$1"); export NO_COLOR=1
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
failed=0
complain() { echo "$1" >&2; failed=1; }

commands=$("$unveil" completion fish | sed -n "s/^complete -c unveil -n __fish_use_subcommand -a \([a-z-]*\) -d .*/\1/p;
  s/^complete -c unveil -n '__fish_seen_subcommand_from \([a-z]*\)' -a \([a-z]*\) .*/\1 \2/p" | sort -u)
(($(wc -l <<<"$commands") >= 8)) || complain "too few commands: $commands"
bash -n <("$unveil" completion bash) || complain "the bash completion is not bash"

while read -r command; do
  said=$("$unveil" $command --help 2>&1 >/tmp/.help.$$) || complain "'$command --help' ended with $?"
  text=$(</tmp/.help.$$)
  [[ -z $said ]] || complain "'$command --help' wrote to stderr: $said"
  [[ $text == "usage: unveil $command"* ]] || complain "'$command --help' does not start with its usage"
  for part in "exit codes:" "examples:" "options of every command:"; do
    [[ $text == *"$part"* ]] || complain "'$command --help' lacks '$part'"
  done
  [[ $("$unveil" help $command) == "$text" ]] || complain "'help $command' differs from '$command --help'"
  page=$("$unveil" man $command) || complain "'man $command' failed"
  completion=$("$unveil" completion bash)
  for option in $(grep -oE '^  (-., )?--[a-z-]+' <<<"$text" | grep -oE -- '--[a-z-]+'); do
    [[ $page == *"${option//-/\\-}"* ]] || complain "'man $command' lacks $option"
    [[ $completion == *" $option"* || $completion == *"'$option"* ]] || complain "completion lacks $option"
  done
done <<<"$commands"

exit $failed
