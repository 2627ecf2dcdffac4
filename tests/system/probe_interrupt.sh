#!/usr/bin/env bash
# Goal: `unveil probe` hears Ctrl-C and the stop file while it waits for an answer, whoever should give it; the message under way is unknown, no child is left, and the
# log goes on. Method: a command and a server that do not answer, a server that says to wait, a person who is silent. usage: probe_interrupt.sh BINARY
set -u
unveil=$(realpath "$1")
command -v python3 >/dev/null || { echo "skipped: python3 is not there"; exit 77; }
work=$(mktemp -d); server=
trap '[[ -n $server ]] && kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
fail() { echo "$1" >&2; cat stderr >&2; exit 1; }

cat >server.py <<'PYTHON'
import http.server, time
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *rest): pass
    def do_POST(self):
        if self.path == "/wait":
            self.send_response(429); self.send_header("Retry-After", "100"); self.send_header("Content-Length", "0"); self.end_headers()
        else: time.sleep(100)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
python3 server.py >port & server=$!
for _ in $(seq 100); do [[ -s port ]] && break; sleep 0.1; done
for path in wait hang; do
  printf '{"url": "http://127.0.0.1:%s/%s", "body": "{{text}}", "verdicts": [{"status": 200, "outcome": "passed"}]}' "$(cat port)" $path >$path.json
done
mkfifo silent; sleep 100 >silent & holder=$!
echo 'a text' >texts.txt

probe() {  # probe CONTEXT: starts it in the background, as a terminal would
  rm -f log.jsonl log.jsonl.sending stop child
  set -m
  "$unveil" probe texts.txt --context "home=$1" --known-blocked banned --known-passed hello --interval 0 --out log.jsonl --stop-file stop --own-accounts <silent >stdout 2>stderr &
  pid=$!
  set +m
  for _ in $(seq 100); do [[ -e log.jsonl.sending ]] && break; sleep 0.05; done
  sleep 0.5
}
ends() {  # ends CODE OUTCOME: soon, and the message under way is in the log
  local start code=0; start=$(date +%s)
  wait $pid || code=$?
  (($(date +%s) - start <= 5)) || fail "it took more than 5 s to stop"
  [[ $code == "$1" ]] || fail "exit code $code, expected $1"
  [[ $(wc -l <log.jsonl) == 2 ]] && grep -q "\"outcome\":\"$2\"" log.jsonl || { cat log.jsonl; fail "the message is not in the log as $2"; }
}
for context in 'echo $$ >child; exec sleep 100' http:hang.json http:wait.json manual; do
  outcome=unknown; [[ $context == http:wait.json ]] && outcome=rejected
  probe "$context"; kill -INT $pid; ends 130 $outcome
  grep -q stopped stderr || fail "nothing was said about the stop"
  [[ ! -s child ]] || ! kill -0 "$(cat child)" 2>/dev/null || fail "the command is left running"
  probe "$context"; touch stop; ends 0 $outcome
  grep -q 'stop file' stdout || fail "nothing was said about the stop file"
done
kill $holder
echo 'while read -r line; do case $line in *banned*) echo "{\"outcome\":\"blocked\"}";; *) echo "{\"outcome\":\"passed\"}";; esac; done' >answer.sh
rm -f stop
"$unveil" probe texts.txt --context 'home=sh answer.sh' --known-blocked banned --known-passed hello --interval 0 --out log.jsonl --own-accounts >stdout 2>stderr || fail "the log does not go on"
grep -q '^done' stdout || fail "the campaign is not done"
