# A platform that leaves out the words of what it forbids, and says where they stood: 'june' and 'tank' within 80 characters of one another.
span() { before=${text%%"$1"*}; printf '[%d,%d]' ${#before} $((${#before} + ${#1})); }
while IFS= read -r line; do
  text=${line#*\"text\":\"}
  text=$(printf '%s' "${text%\"*}" | sed 's/\\n/@/g')
  case $text in
    *june*tank*) between=${text#*june}; between=${between%%tank*} ;;
    *tank*june*) between=${text#*tank}; between=${between%%june*} ;;
    *) between= ;;
  esac
  case $text in
    *banned*) echo '{"outcome":"blocked"}' ;;
    *june*tank* | *tank*june*) if [ ${#between} -le 80 ]; then echo "{\"outcome\":\"partial\",\"spans\":[$(span june),$(span tank)]}"; else echo '{"outcome":"passed"}'; fi ;;
    *) echo '{"outcome":"passed"}' ;;
  esac
done
