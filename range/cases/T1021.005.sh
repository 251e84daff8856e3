# SPDX-License-Identifier: Apache-2.0
# VNC from a workstation to a screen inside, on a port that is not VNC's. The twin is HTTP on that host.
technique=T1021.005 what="a screen of somebody else's" rule=no-vnc
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: no-vnc
    technique: [T1021.005]
    match: { app.protocol: rfb }
    action: drop
END
}
servers() {  # The first words of a VNC server: its version, and whom it lets in (RFC 6143, 7.1).
  printf 'printf "RFB 003.008\\n"; head -c 12 >/dev/null; printf "\\001\\001"; sleep 1\n' >"$in/srv/vnc.sh"
  printf 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok' >"$in/srv/http"
  for port in 5900 6000; do
    serve office socat "TCP-LISTEN:$port,fork,reuseaddr" EXEC:'sh /srv/vnc.sh'
  done
  serve office socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'cat /srv/http; sleep 0.3'
}
look() { out mallory timeout 4 sh -c "printf 'RFB 003.008\\n' | socat -t2 - TCP:10.77.0.53:$1" | od -An -c | grep -q '001 001'; }
attack() { look 5900 || look 6000; }
twin() { at alice curl -s --max-time 4 http://10.77.0.53/; }
