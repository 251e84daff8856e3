# SPDX-License-Identifier: Apache-2.0
# Clients that never finish: each holds a place of a server that has twenty (socat). The twin is a client that asks for a page meanwhile.
technique=T1499.002 what="clients that never finish their request" rule=guard.slow-client
policy() { cat <<END
weir: 1
$(zones)
guards:
  slow-client: { headers_within: 2s, technique: [T1499.002] }
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
  at mallory sh -c 'for i in $(seq 40); do { printf "GET / HTTP/1.1\r\nHost: h\r\n"; for j in 1 2 3 4 5 6 7 8; do sleep 1; printf "X-%s: a\r\n" $j; done; } | timeout 12 socat -t 1 - TCP:10.77.0.53:80 & done; wait' &
  sleep 7
  local starved=1
  twin || starved=0
  wait
  [ $starved = 0 ]
}
