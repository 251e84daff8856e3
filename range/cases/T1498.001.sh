# SPDX-License-Identifier: Apache-2.0
# A flood of datagrams at a server (hping3), from many sources. The twin asks the same server's DNS while the flood goes on.
technique=T1498.001 what="a flood of datagrams" rule=datagrams
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: datagrams
    technique: [T1498.001]
    match: { from: outside, to: 10.77.0.53, ip.protocol: udp }
    unless: [ { port: 53 } ]
    action: { limit: { rate: 50/s, burst: 50, per: to } }
END
}
servers() {
  serve office dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --bind-interfaces \
    --listen-address=10.77.0.53 --address=/www.example.com/198.51.100.80
  serve office sh -c 'tcpdump -i eth0 -n -l "udp and dst port 9" >/srv/flood 2>/dev/null'
}
flood() { at world timeout 5 hping3 -q --udp -p 9 --rand-source -i u2000 -c 600 -d 64 10.77.0.53 || true; }
attack() {
  : >"$in/srv/flood"
  flood
  sleep 0.5
  [ "$(wc -l <"$in/srv/flood")" -ge 300 ]
}
twin() {
  flood & sleep 0.3
  local came=0
  out world dig +tries=2 +time=2 +short @10.77.0.53 www.example.com A | grep -q 198.51.100.80 || came=1
  wait $!
  return $came
}
