# SPDX-License-Identifier: Apache-2.0
# A flood of datagrams at a server from one workstation, to many ports (hping3). The twin asks the same server's DNS while the flood goes on: the
# budget is each sender's own.
technique=T1498 what="one sender's flood" rule=guard.flood
policy() { cat <<END
weir: 1
$(zones)
guards:
  flood:
    - { what: udp, per: from, rate: 30/s, burst: 30, technique: [T1498] }
    - { what: icmp, per: from, rate: 10/s, burst: 10, technique: [T1498] }
rules: []
END
}
servers() {
  serve office dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --bind-interfaces \
    --listen-address=10.77.0.53 --address=/www.example.com/198.51.100.80
  serve office sh -c 'tcpdump -i eth0 -n -l "src 10.77.0.66 and (icmp or udp dst portrange 20000-29999)" >/srv/flood 2>/dev/null'
}
flood() {
  at mallory timeout 5 hping3 -q --udp -p ++20000 -i u2000 -c 500 -d 64 10.77.0.53 || true
  at mallory timeout 5 hping3 -q --icmp -i u5000 -c 200 -d 64 10.77.0.53 || true
}
attack() {
  : >"$in/srv/flood"
  flood
  sleep 0.5
  [ "$(wc -l <"$in/srv/flood")" -ge 400 ]
}
twin() {
  flood & sleep 0.3
  local came=0
  out alice dig +tries=2 +time=2 +short @10.77.0.53 www.example.com A | grep -q 198.51.100.80 || came=1
  wait $!
  return $came
}
