# SPDX-License-Identifier: Apache-2.0
# Traffic signaling: knocks at closed ports, then a connection to the door that they open. Who knocks is shut out, from the open ones too; the twin
# never knocked.
technique=T1205 what="knocks, then a door" rule=closed-ports
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: closed-ports
    technique: [T1205]
    match: { from: outside, to: 10.77.0.53, ip.protocol: [tcp, udp] }
    unless: [ { ip.protocol: tcp, port: [80, 2222] } ]
    action: { ban: source, for: 10m }
END
}
servers() {
  printf 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok' >"$in/srv/http"
  for port in 80 2222; do serve office socat "TCP-LISTEN:$port,fork,reuseaddr" SYSTEM:'cat /srv/http; sleep 0.3'; done
  ip -n world addr add 10.77.0.201/24 dev eth0
}
attack() {
  for port in 7000 8000 9000; do at world timeout 2 hping3 -q -S -p $port -c 1 -a 10.77.0.201 10.77.0.53 || true; done
  at world curl -s --max-time 4 --interface 10.77.0.201 http://10.77.0.53:2222/
}
twin() { at world curl -s --max-time 4 --interface 10.77.0.200 http://10.77.0.53/; }
