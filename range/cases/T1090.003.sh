# SPDX-License-Identifier: Apache-2.0
# The first hop of a chain of proxies: TLS to an address of the relays' list (OpenSSL). The twin is TLS to the web server beside it.
technique=T1090.003 what="the first of many hops" rule=tor-relays
. "$(dirname "$case")/../tls.sh"
policy() { cat <<END
weir: 1
$(zones)
sets:
  tor-relays: { addresses: [10.77.0.201, 198.51.100.9] }
rules:
  - name: tor-relays
    technique: [T1090.003]
    match: { from: inside, to: "@tor-relays" }
    action: reject
END
}
servers() {
  ip -n world addr add 10.77.0.201/24 dev eth0
  tls_server world 10.77.0.201:9001 hop
  tls_server world 10.77.0.200:443 page
}
attack() { tls_fetch mallory 10.77.0.201:9001 -noservername | grep -q hop; }
twin() { tls_fetch alice 10.77.0.200:443 -servername www.example.com | grep -q page; }
