# SPDX-License-Identifier: Apache-2.0
# Malformed packets that once brought systems down (hping3): from a host to itself (land), and segments with every flag. The twin is well-formed.
technique=T1499.004 what="packets that crash" rule=guard.normalise
policy() { cat <<END
weir: 1
$(zones)
guards:
  normalise: { technique: [T1499.004] }
rules: []
END
}
servers() {
  printf 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok' >"$in/srv/http"
  serve office socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'cat /srv/http; sleep 0.3'
  serve office sh -c 'tcpdump -i eth0 -n -l "(src 10.77.0.53 and dst 10.77.0.53) or tcp[13] & 7 == 7" >/srv/bad 2>/dev/null'
}
attack() {
  : >"$in/srv/bad"
  at mallory timeout 5 hping3 -q -S -s 80 -k -p 80 -a 10.77.0.53 -i u20000 -c 20 10.77.0.53 || true
  at mallory timeout 5 hping3 -q -S -F -R -P -A -U -p 80 -i u20000 -c 20 10.77.0.53 || true
  sleep 0.5
  [ "$(wc -l <"$in/srv/bad")" -ge 20 ]
}
twin() { at alice curl -s --max-time 4 http://10.77.0.53/; }
