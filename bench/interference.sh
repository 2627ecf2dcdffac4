#!/usr/bin/env bash
# How fast are captures scanned, all detectors on, beside tshark and ndpiReader in the same run? One thread each.
# usage: bench/interference.sh FOLDER_OF_CAPTURES [COPIES] [RUNS]     The folder of nDPI's test captures makes the input that docs/instruments quotes.
# Needs build/release with -DUNVEIL_BENCH=ON; peers that are not installed (packages tshark, libndpi-bin) are left out.
set -euo pipefail
root=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
folder=$1 copies=${2:-8} runs=${3:-3}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
bin=$root/build/release/bin
"$bin/bench_interference_input" "$folder" "$copies" "$work/input.pcap"
bytes=$(stat -c %s "$work/input.pcap")
timed() {  # timed NAME COMMAND...: CPU seconds and peak memory, the best of the runs
  local name=$1; shift
  for _ in $(seq "$runs"); do
    /usr/bin/env time -f '%U %S %e %M' -o "$work/time" "$@" >/dev/null 2>&1 || true
    tail -1 "$work/time"
  done | sort -n | head -1 | awk -v name="$name" -v bytes="$bytes" '{cpu = $1 + $2; printf "%-34s %8.2f CPU s %8.2f s %8.0f MB/CPU s %8.0f MB peak\n", name, cpu, $3, bytes / 1e6 / cpu, $4 / 1024}'
}
cat "$work/input.pcap" >/dev/null
timed "unveil interference" "$bin/unveil" interference "$work/input.pcap" --out "$work/out" --threads 1 --quiet
if command -v ndpiReader >/dev/null; then timed "ndpiReader -q" ndpiReader -q -i "$work/input.pcap"; fi
if command -v tshark >/dev/null; then
  runs=1
  timed "tshark, dns, rst and sni as fields" tshark -n -r "$work/input.pcap" -Y 'dns or tcp.flags.reset==1 or tls.handshake.extensions_server_name' -T fields -e frame.number -e ip.src -e ip.dst -e ip.ttl -e dns.qry.name -e tls.handshake.extensions_server_name
fi
