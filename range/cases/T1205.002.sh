# SPDX-License-Identifier: Apache-2.0
# A magic packet for a listener on a raw socket (tcpdump): a datagram to a port where no service is. The twin is the answer to a question of the same
# host's own.
technique=T1205.002 what="a magic packet for a socket filter" rule=only-what-is-served
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: only-what-is-served
    technique: [T1205.002]
    match: { from: outside, to: inside }
    action: drop
END
}
servers() {
  serve world dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --bind-interfaces \
    --listen-address=10.77.0.200 --address=/www.example.com/198.51.100.80
  printf 'open sesame' >"$in/srv/magic"
  serve office sh -c 'tcpdump -i eth0 -n -l -A "udp and udp[8:4] = 0x6f70656e" >/srv/heard 2>/dev/null'
}
attack() {
  : >"$in/srv/heard"
  at world timeout 5 hping3 -q --udp -p 7777 -i u50000 -c 5 -d 11 --file /srv/magic 10.77.0.53 || true
  sleep 0.5
  grep -q sesame "$in/srv/heard"
}
twin() { out office dig +tries=2 +time=2 +short @10.77.0.200 www.example.com A | grep -q 198.51.100.80; }
