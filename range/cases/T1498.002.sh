# SPDX-License-Identifier: Apache-2.0
# Reflection: answers that nobody asked for, from DNS's port outside, at a workstation (hping3). The twin asks and is answered.
technique=T1498.002 what="answers that nobody asked for" rule=unasked
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: unasked
    technique: [T1498.002]
    match: { to: inside, udp.solicited: false }
    action: drop
END
}
servers() {
  serve world dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --bind-interfaces \
    --listen-address=10.77.0.200 --address=/www.example.com/198.51.100.80
  serve alice sh -c 'tcpdump -i eth0 -n -l udp and src port 53 and dst port 4444 >/srv/seen 2>&1'
  # An answer about example, with the bits that say so: id 1, QR RD RA, one question, one answer.
  printf '\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01' >"$in/srv/answer"
}
attack() {
  : >"$in/srv/seen"
  at world timeout 5 hping3 -q --udp -s 53 -k -p 4444 -i u20000 -c 50 -d 45 --file /srv/answer 10.77.0.10 || true
  sleep 0.5
  [ "$(grep -c 'UDP\|domain\|IP ' "$in/srv/seen")" -ge 10 ]
}
twin() { at alice dig +tries=2 +time=2 +short @10.77.0.200 www.example.com A && tail -1 "$log" | grep -q 198.51.100.80; }
