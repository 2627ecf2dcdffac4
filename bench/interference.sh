#!/usr/bin/env bash
# How fast are captures scanned, all detectors on, beside tshark and ndpiReader in the same run? One thread each.
# usage: bench/interference.sh COPIES RUNS FOLDER...     Every Ethernet capture in the folders; docs/instruments/interference.md names those it quotes.
# Needs build/release with -DUNVEIL_BENCH=ON; peers that are not installed (packages tshark, libndpi-bin) are left out.
set -euo pipefail
root=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
copies=$1 runs=$2; shift 2
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
bin=$root/build/release/bin
"$bin/bench_interference_input" "$copies" "$work/input.pcap" "$@"
bytes=$(stat -c %s "$work/input.pcap")
measure() {  # measure NAME COMMAND...: one line more in $work/NAME: user, system and elapsed seconds, KB
  local name=$1; shift
  /usr/bin/env time -f '%U %S %e %M' -o "$work/time" "$@" >/dev/null 2>&1 || true
  tail -1 "$work/time" >>"$work/$name"
}
tell() {  # tell NAME: the run in the middle by CPU seconds
  [[ -f $work/$1 ]] || return 0
  awk '{print $1 + $2, $3, $4}' "$work/$1" | sort -n | awk -v name="$1" -v bytes="$bytes" '{line[NR] = $0} END {split(line[int((NR + 1) / 2)], at);
    printf "%-34s %8.2f CPU s %8.2f s %8.0f MB/CPU s %8.0f MB peak\n", name, at[1], at[2], bytes / 1e6 / at[1], at[3] / 1024}'
}
cat "$work/input.pcap" >/dev/null
# One after the other in turn, so that a busy moment of the machine meets both.
for _ in $(seq "$runs"); do
  measure unveil "$bin/unveil" interference "$work/input.pcap" --out "$work/out" --threads 1 --quiet
  if command -v ndpiReader >/dev/null; then measure ndpiReader ndpiReader -q -i "$work/input.pcap"; fi
done
if command -v tshark >/dev/null; then
  measure tshark tshark -n -r "$work/input.pcap" -Y 'dns or tcp.flags.reset==1 or tls.handshake.extensions_server_name' -T fields -e frame.number -e ip.src -e ip.dst -e ip.ttl -e dns.qry.name -e tls.handshake.extensions_server_name
fi
echo "$bytes bytes; the run in the middle of $runs"
for name in unveil ndpiReader tshark; do tell "$name"; done
