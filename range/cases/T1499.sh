# SPDX-License-Identifier: Apache-2.0
# A flood of connections at a service (curl, in a loop). Who opens too many is shut out, also from what it asks for later; the twin opens a few.
technique=T1499 what="a flood of connections" rule=too-many
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: too-many
    technique: [T1499]
    match: { to: 10.77.0.53, ip.protocol: tcp, port: 80 }
    action: { ban: source, for: 10m, after: 20, within: 10s }
END
}
servers() {
  printf 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok' >"$in/srv/http"
  serve office socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'cat /srv/http; sleep 0.1'
}
attack() {
  at mallory sh -c 'n=0; for i in $(seq 40); do curl -s --max-time 0.5 http://10.77.0.53/ >/dev/null && n=$((n + 1)); done; [ $n -ge 35 ]'
}
twin() { for _ in 1 2 3; do at alice curl -s --max-time 4 http://10.77.0.53/ || return 1; done; }
