#!/usr/bin/env bash
# Runs one golden test; see README.md beside this file. usage: run_golden.sh BINARY FOLDER
set -u
binary=$(realpath "$1"); folder=$(realpath "$2")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"; ln -s "$binary" "$work/bin/unveil"
cp -r "$folder/." "$work/test"; cd "$work/test" || exit 1
rm -rf expected stdout stderr exit_code
env -i PATH="$work/bin:/usr/bin:/bin" HOME="$work" LC_ALL=C.UTF-8 NO_COLOR=1 UNVEIL_SOURCE="$(dirname "$0")/../.." \
  bash ./command >"$work/stdout" 2>"$work/stderr" </dev/null
code=$?
[[ $code == 77 && ! -e $folder/exit_code ]] && { cat "$work/stderr"; exit 77; }
if [[ -n ${UNVEIL_GOLDEN_UPDATE:-} ]]; then
  for name in stdout stderr; do
    if [[ -s $work/$name ]]; then cp "$work/$name" "$folder/$name"; else rm -f "$folder/$name"; fi
  done
  if [[ $code != 0 ]]; then echo "$code" >"$folder/exit_code"; else rm -f "$folder/exit_code"; fi
  [[ -d $folder/expected ]] && (cd "$folder/expected" && find . -type f | while read -r f; do cp "$work/test/$f" "$f"; done)
  exit 0
fi
failed=0
check() { diff -u --label "expected $1" --label "actual $1" "$2" "$3" || failed=1; }
for name in stdout stderr; do
  if [[ -e $folder/$name ]]; then check $name "$folder/$name" "$work/$name"; else check $name /dev/null "$work/$name"; fi
done
expected=0; [[ -e $folder/exit_code ]] && expected=$(<"$folder/exit_code")
[[ $code == "$expected" ]] || { echo "exit code $code, expected $expected"; failed=1; }
if [[ -d $folder/expected ]]; then
  while read -r f; do check "$f" "$folder/expected/$f" "$work/test/$f"; done < <(cd "$folder/expected" && find . -type f)
fi
exit $failed
