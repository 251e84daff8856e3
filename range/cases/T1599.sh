# SPDX-License-Identifier: Apache-2.0
# Bridging a boundary: from outside come packets that say to be from inside, and from inside packets with a stranger's address (hping3 -a).
technique=T1599 what="spoofed sources across the boundary" rule=guard.anti-spoof
policy() { cat <<END
weir: 1
$(zones)
guards:
  anti-spoof: { technique: [T1599] }
rules: []
END
}
servers() { serve office sh -c 'tcpdump -i eth0 -n -l icmp >/srv/seen-office 2>&1'; serve world sh -c 'tcpdump -i eth0 -n -l icmp >/srv/seen-world 2>&1'; }
spoof() { # FROM SOURCE TO OBSERVER
  : >"$in/srv/seen-$4"
  at "$1" timeout 3 hping3 -q --icmp -c 3 -i u100000 -a "$2" "$3" || true
  sleep 0.5
  grep -q "IP $2 > $3" "$in/srv/seen-$4"
}
attack() { spoof world 10.77.0.66 10.77.0.53 office || spoof alice 203.0.113.9 10.77.0.200 world; }
twin() { at alice ping -c 2 -i 0.2 -W 2 10.77.0.200 && at world ping -c 2 -i 0.2 -W 2 10.77.0.53; }
