# SPDX-License-Identifier: Apache-2.0
# ARP cache poisoning: mallory tells alice that the office server's address is at her own hardware address (dsniff's arpspoof).
technique=T1557.002 what="ARP cache poisoning" rule=guard.arp-inspection
policy() { cat <<END
weir: 1
$(zones)
guards:
  arp-inspection:
    technique: [T1557.002]
    learn: none
    unlisted: pass
    bindings:
      - { ip: 10.77.0.53, mac: "02:00:00:00:77:53" }
      - { ip: 10.77.0.10, mac: "02:00:00:00:77:10" }
END
}
servers() { :; }
attack() {
  at alice ping -c 1 -W 2 10.77.0.53
  ip netns exec mallory chroot "$in" timeout 4 arpspoof -i eth0 -t 10.77.0.10 10.77.0.53 &
  sleep 2.5
  ip -n alice neigh show 10.77.0.53 | grep -q 02:00:00:00:77:66
}
twin() {  # Alice finds the server by ARP, and the right one.
  ip -n alice neigh flush all
  at alice ping -c 2 -i 0.2 -W 2 10.77.0.53 && ip -n alice neigh show 10.77.0.53 | grep -q 02:00:00:00:77:53
}
forget() { sleep 3; for h in alice office; do ip -n $h neigh flush all; done; }
