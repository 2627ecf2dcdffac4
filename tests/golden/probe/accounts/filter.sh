# A platform of a few lines: bans the accounts ann and bob after a few blocked messages, and warns one.
blocked() {
  echo >>"$1.blocked"
  count=$(wc -l <"$1.blocked")
}
while IFS= read -r line; do
  account=${line#*'"account":"'}; account=${account%%'"'*}
  case $account in
    ann) most=4 ;;
    bob) most=7 ;;
    *) most=1000 ;;
  esac
  if [ -f "$account.blocked" ] && [ "$(wc -l <"$account.blocked")" -ge $most ]; then echo '{"outcome":"banned"}'; continue; fi
  case $line in
    *banned* | *tank*june* | *june*tank*)
      blocked "$account"
      if [ "$account" = warned ] && [ "$count" -ge 3 ]; then echo '{"outcome":"blocked","warning":true}'; else echo '{"outcome":"blocked"}'; fi ;;
    *) echo '{"outcome":"passed"}' ;;
  esac
done
