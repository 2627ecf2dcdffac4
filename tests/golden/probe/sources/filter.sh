# A platform of a few lines: blocks what holds both words, abroad nothing but the known one.
while IFS= read -r line; do
  case $line in
    *'"context":"ca"'*) case $line in *banned*) echo '{"outcome":"blocked"}' ;; *) echo '{"outcome":"passed"}' ;; esac ;;
    *banned* | *tank*june* | *june*tank*) echo '{"outcome":"blocked"}' ;;
    *) echo '{"outcome":"passed"}' ;;
  esac
done
