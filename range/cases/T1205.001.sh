# SPDX-License-Identifier: Apache-2.0
# Port knocking: a sequence of packets at closed ports opens a door (a listener that reads them by a packet socket, as knockd does).
# The twin is an ordinary connection to an open port.
technique=T1205.001 what="knocks at closed ports" rule=only-what-is-served
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: served
    match: { from: outside, to: inside, ip.protocol: tcp, port: 80 }
    action: allow
  - name: only-what-is-served
    technique: [T1205.001]
    match: { from: outside, to: inside, ip.protocol: [tcp, udp] }
    action: drop
END
}
servers() {
  printf 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok' >"$in/srv/http"
  serve office socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'cat /srv/http; sleep 0.3'
  serve office sh -c 'tcpdump -i eth0 -n -l "tcp[tcpflags] & tcp-syn != 0 and (dst port 7000 or dst port 8000 or dst port 9000)" >/srv/knocks 2>&1'
}
attack() {
  : >"$in/srv/knocks"
  for port in 7000 8000 9000; do at world timeout 2 hping3 -q -S -p $port -c 1 10.77.0.53 || true; done
  sleep 0.5
  for port in 7000 8000 9000; do grep -q "10.77.0.53.$port:" "$in/srv/knocks" || return 1; done
}
twin() { at world curl -s --max-time 4 http://10.77.0.53/; }
