#!/usr/bin/env bash
# Goal: a report over hostile account names opens in a real browser without a word on the console, a request or a dialog, shows
# every name as text, moves where WebGL works and stands still where scripts do not run. usage: report_browser.sh UNVEIL
set -eu
unveil=$(realpath "$1"); here=$(dirname "$(realpath "$0")")
skip() { echo "skipped: $1"; exit 77; }
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "chromium is not installed"
command -v node >/dev/null || skip "node is not installed"
command -v npm >/dev/null || skip "npm is not installed"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$work"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >npm.log 2>&1) || { cat "$work/npm.log"; skip "npm cannot fetch playwright-core"; }

# Twenty accounts with hostile names share fifty links within seconds of each other.
node - "$work" <<'SCRIPT'
const { writeFileSync } = require("node:fs");
const folder = process.argv[2];
const names = [
  "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", "javascript:alert(1)",
  "</script><script>alert(1)</script>", "</title></svg></style>", "<!--", "]]>", "&lt;b&gt;", "\u202egnp.exe", "\u2066isolate\u2069",
  "\u0627\u0644\u0639\u0631\u0628\u064a\u0629", "\u{1f43c} panda", "=cmd|' /C calc'!A0", "{{constructor.constructor('alert(1)')()}}",
  "${alert(1)}", "comma, and \"quote\"", "\u56de\u590d", "a".repeat(300), "plain_account",
];
const cell = (text) => '"' + text.replace(/"/g, '""') + '"';
const lines = ["account,content,object,time"];
let content = 0;
for (let object = 0; object < 50; ++object)
  names.forEach((name, i) => lines.push([cell(name), ++content, "link" + object, 1600000000 + object * 3600 + i].join(",")));
writeFileSync(folder + "/posts.csv", lines.join("\n") + "\n");
const reorders = /[\u202a-\u202e\u2066-\u2069]/g;
const shown = (name) => name.replace(reorders, (c) => "[U+" + c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0") + "]");
// A name too long for a picture is cut; what is left of it must be there.
writeFileSync(folder + "/names.json", JSON.stringify(names.map((name) => shown(name).slice(0, 60))));
writeFileSync(folder + "/case.toml", `[case]
title = "Names that would like to act: <script>alert(1)</script>"
summary = "\\"><img src=x onerror=alert(1)>"
[[evidence]]
id = "posts"
path = "posts.csv"
columns = { account = "account", content = "content", object = "object", time = "time" }
[[claim]]
id = "together"
text = "Accounts </title><script>alert(1)</script> act together."
test = "coordination"
with = { window = "60s", traces = ["co-share"], keep = "weight" }
holds = ["co-share.edges >= 10"]
`);
SCRIPT
cd "$work"
if ! "$unveil" investigate case.toml --quiet >/dev/null; then exit 1; fi
[[ -e case.out/report.html ]] || "$unveil" report case.out --quiet
node "$here/report_browser.mjs" case.out/report.html names.json "$chromium"
