# SPDX-License-Identifier: Apache-2.0
# DNS past the resolver: alice asks a server outside, by UDP, by TCP, and on another port. The twin asks the company's resolver.
technique=T1071.004 what="DNS past the resolver" rule=only-company-dns
policy() { cat <<END
weir: 1
$(zones)
sets:
  resolvers: { addresses: [10.77.0.53] }
rules:
  - name: only-company-dns
    technique: [T1071.004]
    match: { from: inside, app.protocol: dns }
    unless: [ { from: "@resolvers" }, { to: "@resolvers" } ]
    action: reject
END
}
resolver() {
  serve "$1" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --bind-interfaces \
    --listen-address="$2" --port="$3" --address=/www.example.com/198.51.100.80
}
servers() { resolver office 10.77.0.53 53; resolver world 10.77.0.200 53; resolver world 10.77.0.200 8053; }
ask() { at alice dig +tries=1 +time=2 +nocookie +short "$@" www.example.com A && tail -1 "$log" | grep -q 198.51.100.80; }
attack() { ask @10.77.0.200 || ask @10.77.0.200 +tcp || ask @10.77.0.200 -p 8053; }
twin() { ask @10.77.0.53 && ask @10.77.0.53 +tcp; }
