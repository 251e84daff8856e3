# SPDX-License-Identifier: Apache-2.0
# A flood of connection requests at a server inside (hping3). The twin connects while the flood goes on.
technique=T1499.001 what="a flood of SYNs" rule=guard.flood
policy() { cat <<END
weir: 1
$(zones)
guards:
  flood:
    - { what: syn, per: from, rate: 10/s, burst: 20, technique: [T1499.001] }
rules: []
END
}
servers() {
  printf 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok' >"$in/srv/http"
  serve office socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'cat /srv/http; sleep 0.3'
  serve office sh -c 'tcpdump -i eth0 -n -l "src 10.77.0.66 and tcp[tcpflags] & tcp-syn != 0" >/srv/syns 2>/dev/null'
}
flood() { at mallory timeout 5 hping3 -q -S -p 80 -i u3000 -c 400 10.77.0.53 || true; }
attack() {
  : >"$in/srv/syns"
  flood
  sleep 0.5
  [ "$(wc -l <"$in/srv/syns")" -ge 200 ]
}
twin() {
  flood & sleep 0.5
  local came=0
  at alice curl -s --max-time 4 http://10.77.0.53/ || came=1
  wait $!
  return $came
}
