# SPDX-License-Identifier: Apache-2.0
# A gateway into a network of hidden services, by the name in the hello of TLS (OpenSSL). The twin is another name at the same address.
technique=T1188 what="a gateway to hidden services" rule=gateways
. "$(dirname "$case")/../tls.sh"
policy() { cat <<END
weir: 1
$(zones)
sets:
  gateways: { domains: [.onion.example, .hidden.example] }
rules:
  - name: gateways
    technique: [T1188, T1090.003]
    match: { from: inside, tls.sni: "@gateways" }
    action: reject
END
}
servers() { tls_server world 10.77.0.200:443 page; }
attack() { tls_fetch mallory 10.77.0.200:443 -servername market.onion.example | grep -q page; }
twin() { tls_fetch alice 10.77.0.200:443 -servername www.example.com | grep -q page; }
