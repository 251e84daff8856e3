# SPDX-License-Identifier: Apache-2.0
# Clients that never finish: each holds a place of a server that has twenty (socat). The twin is a client that asks for a page meanwhile.
technique=T1499.002 what="clients that never finish their request" rule=guard.slow-client
policy() { cat <<END
weir: 1
$(zones)
guards:
  slow-client: { headers_within: 2s, action: reject, technique: [T1499.002] }
rules: []
END
}
servers() {
  cat >"$in/srv/web" <<'END'
read -r method path rest
while read -r header; do [ "$header" = "$(printf '\r')" ] && break; done
printf 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage'
END
  serve office socat TCP-LISTEN:80,bind=10.77.0.53,fork,reuseaddr,max-children=20,backlog=1 EXEC:'sh /srv/web'
}
twin() { out alice curl -s --max-time 4 http://10.77.0.53/ | grep -q page; }
# It gets through if nobody is served while it lasts.
attack() {
  at mallory sh -c 'for i in $(seq 30); do { printf "GET / HTTP/1.1\r\nHost: h\r\n"; for j in $(seq 14); do sleep 1; printf "X-%s: a\r\n" $j; done; } | timeout 16 socat -t 1 - TCP:10.77.0.53:80 >/dev/null & done; wait' &
  sleep 6
  local starved=0
  twin && starved=1
  wait
  sleep 2
  return $starved
}
