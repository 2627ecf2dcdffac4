#!/usr/bin/env bash
# A campaign over HTTP against the lab's service finds the rules that were given to it, and no others; the service ends when it is told to. Where its
# lists change, what is found is what they held on the day its clock shows.
set -euo pipefail
unveil=$(realpath "$1")
folder=$(mktemp -d)
server=
trap '[[ -n $server ]] && kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"

printf '# made up\n六四 + 坦克\n广场\n学生 unless 捍卫\n禁词样本\n' >home.txt
printf '广场\n禁词样本\n' >abroad.txt
printf '今天的六四在哪里坦克也在\n我们的广场很大\n学生很好学生\n捍卫学生的权利\n你好世界天气不错\n' >texts.txt
serve() {  # serve OPTIONS...: starts the service, of the kind $kind, and describes it in spec.json
  : >address.txt
  "$unveil" lab serve "${kind:-chat}" "$@" >address.txt 2>serve.txt &
  server=$!
  for _ in $(seq 100); do [[ -s address.txt ]] && break; sleep 0.1; done
  local address; address=$(sed 's/listening on //' address.txt)
  cat >spec.json <<END
{"url": "$address/message",
 "headers": {"Content-Type": "application/json"},
 "body": "{\"context\":{{context|json}},\"text\":{{text|json}}}",
 "verdicts": [{"status": 403, "outcome": "banned"},
              {"status": 413, "outcome": "rejected"},
              {"pointer": "/outcome", "equals": "partial", "outcome": "partial", "spans": "/spans"},
              {"pointer": "/outcome", "equals": "blocked", "outcome": "blocked"},
              {"pointer": "/outcome", "equals": "passed", "outcome": "passed"}]}
END
}
stop() {
  kill -TERM "$server"
  local code=0; wait "$server" || code=$?
  server=
  [[ $code == 0 ]] || { echo "probe_services: the service ended with $code" >&2; exit 1; }
}
serve --rules home=home.txt --rules abroad=abroad.txt --folds space
"$unveil" probe texts.txt --context home=http:spec.json --context abroad=http:spec.json --known-blocked 禁词样本 --known-passed 你好 \
  --interval 0 --out log.jsonl --own-accounts >probe.txt 2>/dev/null
"$unveil" filter log.jsonl --out result --quiet >/dev/null 2>&1
certified=$(awk -F, '$3 == "certified" {print $2 ": " $1}' result/rules.csv | sort)
expected=$(printf '%s\n' 'abroad: 广场' 'abroad: 禁词样本' 'home: 六四 + 坦克' 'home: 学生' 'home: 广场' 'home: 禁词样本' | sort)
# A rule is certified where it was looked for; elsewhere it is only compared.
for rule in $(grep '^home' <<<"$expected" | tr ' ' '_'); do
  grep -qxF "${rule//_/ }" <<<"$certified" || { echo "probe_services: '$rule' is not certified" >&2; echo "$certified" >&2; exit 1; }
done
[[ $(grep -c '^home' <<<"$certified") == 4 ]] || { echo "probe_services: a rule too many: $certified" >&2; exit 1; }
grep -q '^exception  捍卫' probe.txt || { echo "probe_services: the exception was not found" >&2; exit 1; }
# A second service on the port would answer some of the messages by other rules.
port=$(sed 's/.*://' address.txt)
code=0; timeout 10 "$unveil" lab serve chat --rules abroad.txt --port "$port" >second.txt 2>err.txt || code=$?
[[ $code == 1 && ! -s second.txt ]] && grep -q "the port $port is taken" err.txt || { echo "probe_services: two services listen on one port ($code)" >&2; cat err.txt >&2; exit 1; }
stop
# Half a rule is none: the service does not start, the campaign says where it stands and goes on without it.
printf '广场\n六四 +\n' >half.txt
code=0; timeout 10 "$unveil" lab serve chat --rules half.txt >second.txt 2>err.txt || code=$?
[[ $code == 1 ]] && grep -q 'half.txt:2: a part of this rule is empty' err.txt || { echo "probe_services: half a rule is served ($code)" >&2; cat err.txt >&2; exit 1; }
"$unveil" probe --rules half.txt --context home=cat --known-blocked 禁词样本 --known-passed 你好 --dry-run >plan.txt 2>err.txt
grep -q '^1 texts' plan.txt && grep -q '1 rule is not used: .*half.txt:2' err.txt || { echo "probe_services: half a rule is probed" >&2; cat plan.txt err.txt >&2; exit 1; }
# Nobody answers any more: it stops, and goes on with the same message once the service is back, as if nothing had been.
gone_on() {  # gone_on LOG: the texts again, over HTTP
  "$unveil" probe texts.txt --context home=http:spec.json --context abroad=http:spec.json --known-blocked 禁词样本 --known-passed 你好 --interval 0 --out "$1" --own-accounts >out.txt 2>err.txt
}
head -30 log.jsonl >later.jsonl
for log in new.jsonl later.jsonl later.jsonl; do
  code=0; gone_on $log || code=$?
  [[ $code == 1 ]] && grep -q 'cannot be reached' err.txt && grep -q 'could not connect' err.txt && grep -q ': 5 messages sent' out.txt ||
    { echo "probe_services: a dead service is not told ($code)" >&2; cat err.txt out.txt >&2; exit 1; }
done
serve --rules home=home.txt --rules abroad=abroad.txt --folds space
for log in new.jsonl later.jsonl; do
  gone_on $log || { echo "probe_services: $log does not go on" >&2; cat err.txt >&2; exit 1; }
  diff <(grep -v '"outcome":"error"' $log | grep -o '"step.*"outcome":"[a-z]*"') <(grep -o '"step.*"outcome":"[a-z]*"' log.jsonl) >/dev/null ||
    { echo "probe_services: $log is another campaign than without the loss" >&2; exit 1; }
  gone_on $log && grep -q ': 0 messages sent' out.txt || { echo "probe_services: $log is not done" >&2; exit 1; }
done
stop

# What a spelling leaves nothing of is compared without it, and that is said.
printf 'falun\n禁词样本\n' >latin.txt
serve --rules latin.txt --folds latin
post() {  # post JSON: sends it as a message
  local port; port=$(sed 's/.*://' address.txt)
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  printf 'POST /message HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s' "${#1}" "$1" >&3
  cat <&3
  exec 3<&-
}
[[ $(post '{"text":"falun"}') == *'"outcome":"blocked"'* ]] || { echo "probe_services: a fold took a rule off the list" >&2; exit 1; }
grep -q "the rule 'falun' is compared without the spellings latin" serve.txt || { echo "probe_services: it is not said which rule a fold would empty" >&2; exit 1; }
stop

printf 'time,change,rule\n2020-02-01,removed,广场\n2020-02-01T12:00:00Z,added,学生\n' >changes.csv
printf '广场\n禁词样本\n' >list.txt
for day in 2020-01-31 2020-02-02; do
  serve --rules list.txt --churn changes.csv --clock $day
  "$unveil" probe texts.txt --context home=http:spec.json --known-blocked 禁词样本 --known-passed 你好 --interval 0 --out $day.jsonl --own-accounts >/dev/null 2>&1
  stop
  "$unveil" filter $day.jsonl --out $day --quiet >/dev/null 2>&1
  awk -F, '$3 == "certified" {print $1}' $day/rules.csv | sort >$day.txt
done
diff <(printf '广场\n禁词样本\n' | sort) 2020-01-31.txt && diff <(printf '学生\n禁词样本\n' | sort) 2020-02-02.txt ||
  { echo "probe_services: the lists of a day are not what was found on it" >&2; exit 1; }
# Accounts by their aliases, of which the service bans some; it takes only short messages, and so many a minute. Its minute is one of our seconds.
printf '广场\n六四 + 坦克\n禁词样本\n' >list.txt
printf '%s\n' "$(printf '你好世界%.0s' $(seq 30))广场$(printf '天气不错%.0s' $(seq 30))" '今天的六四在哪里坦克也在' >long.txt
serve --rules list.txt --characters-max 90 --per-minute 30 --clock-speed 60 --ban-after 12
sed 's/"body":.*/"body": "{\\"context\\":{{context|json}},\\"account\\":{{account|json}},\\"text\\":{{text|json}}}",/' spec.json >accounts.json
many=(); for i in $(seq 12); do many+=(--account "home/account$i"); done
"$unveil" probe long.txt --context home=http:accounts.json "${many[@]}" --known-blocked 禁词样本 --known-passed 你好 --probe-rules 2 --interval 0 --out accounts.jsonl --own-accounts >out.txt 2>err.txt ||
  { echo "probe_services: the accounts do not go on" >&2; cat out.txt err.txt >&2; exit 1; }
stop
for rule in 广场 '六四 + 坦克' 禁词样本; do grep -q "^certified  $rule " out.txt || { echo "probe_services: '$rule' is not found by accounts in turn" >&2; cat out.txt err.txt >&2; exit 1; }; done
[[ $(grep -c '^certified' out.txt) == 3 ]] || { echo "probe_services: a rule too many" >&2; cat out.txt >&2; exit 1; }
grep -q 'account1 was banned' err.txt && grep -q '"account":"account2"' accounts.jsonl || { echo "probe_services: no account was banned, or none followed" >&2; cat err.txt >&2; exit 1; }
grep -qE 'length: (8[89]|90) characters are taken, 9[1-3] are not' out.txt || { echo "probe_services: the length was not found" >&2; cat out.txt >&2; exit 1; }
grep -q '"retry_after_seconds":' accounts.jsonl && grep -q 'pace: a message every' out.txt || { echo "probe_services: the pace was not learnt" >&2; cat out.txt >&2; exit 1; }
"$unveil" filter accounts.jsonl --out accounts --quiet >findings.txt 2>&1
grep -q '^accounts.lost' findings.txt && grep -qE '^length.characters +(8[89]|90) ' findings.txt || { echo "probe_services: the findings do not say what was lost and how long a message may be" >&2; cat findings.txt >&2; exit 1; }

# What a mask leaves out is told over HTTP, and certified without a search; a translator is searched in the line that it left out. The log is replayed either way.
printf '我们今天说六四的事情\n还有坦克也在六四那天出现在我们的城里\n没有别的事情了\n' >lines.txt
for kind in mask translate; do
  serve --rules home.txt
  for turn in first second; do
    "$unveil" probe lines.txt --whole --context home=http:spec.json --known-blocked 禁词样本 --known-passed 你好 --interval 0 --probe-rules 0 --out $kind.jsonl --own-accounts >$kind.$turn 2>&1 ||
      { echo "probe_services: probing a $kind fails" >&2; cat $kind.$turn >&2; exit 1; }
  done
  stop
  grep -q '^certified  六四 + 坦克' $kind.first && grep -q ': 0 messages sent' $kind.second && grep -q '"outcome":"partial","spans"' $kind.jsonl ||
    { echo "probe_services: the rule of a $kind is not found, or its log not replayed" >&2; cat $kind.first $kind.second >&2; exit 1; }
done
[[ $(grep -c '"step":"isolate","subject":"lines.txt' mask.jsonl) == 0 ]] || { echo "probe_services: what a mask left out is searched for" >&2; exit 1; }
grep -q '"step":"isolate","subject":"lines.txt[^}]*"detail":"told"' translate.jsonl || { echo "probe_services: the line that was left out is not what is searched" >&2; exit 1; }
unset kind
echo "rules, exception, contexts, changes of the lists and what is left out found over HTTP"
