# SPDX-License-Identifier: Apache-2.0
# A valid account, used from where its owner never is (FTP: socat). The twin is the owner.
technique=T1078 what="a valid account from elsewhere" rule=accounts-from-their-networks
policy() { cat <<END
weir: 1
$(zones)
accounts:
  staff: { file: accounts.tsv }
rules:
  - name: accounts-from-their-networks
    technique: [T1078]
    match: { auth.binding: contradicts }
    action: reject
END
}
servers() {
  printf 'backup 10.77.0.10/32\n' >"$scratch/accounts.tsv"
  cat >"$in/srv/ftpd" <<'END'
printf '220 ready\r\n'
while read -r verb rest; do
  case $verb in
    USER*) printf '331 who\r\n' ;;
    PASS*) printf '230 in\r\n' ;;
    PWD*) printf '257 "/"\r\n' ;;
    QUIT*) printf '221 bye\r\n'; exit 0 ;;
    SITE*) printf '200 the list\r\n' ;;
    *) printf '200 ok\r\n' ;;
  esac
done
END
  serve office socat TCP-LISTEN:21,bind=10.77.0.53,fork,reuseaddr EXEC:'sh /srv/ftpd'
}
login() { out "$1" sh -c 'printf "USER backup\r\nPASS secret\r\nSITE LIST\r\nQUIT\r\n" | timeout 5 socat -t 2 - TCP:10.77.0.53:21' | grep -q 'the list'; }
attack() { login mallory; }
twin() { login alice; }
