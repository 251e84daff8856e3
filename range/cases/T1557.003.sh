# SPDX-License-Identifier: Apache-2.0
# DHCP spoofing: mallory's DHCP server answers beside the office's, and says that she is the gateway.
technique=T1557.003 what="a second DHCP server" rule=guard.dhcp-snooping
policy() { cat <<END
weir: 1
$(zones)
guards:
  dhcp-snooping: { trusted: [p3], technique: [T1557.003] }
rules: []
END
}
dhcp_server() { # HOST FIRST LAST ROUTER
  serve "$1" dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --pid-file= --interface=eth0 --bind-interfaces \
    --dhcp-authoritative --no-ping --dhcp-leasefile="/srv/leases-$1" --dhcp-range="$2,$3,1h" --dhcp-option="3,$4"
}
servers() { dhcp_server office 10.77.0.20 10.77.0.29 10.77.0.53; dhcp_server mallory 10.77.0.90 10.77.0.99 10.77.0.66; }
# nmap asks as a client does, and shows each offer.
offers() { out alice nmap --script broadcast-dhcp-discover --script-args broadcast-dhcp-discover.mac=02:00:00:00:77:10,broadcast-dhcp-discover.timeout=5s -e eth0 | grep "Server Identifier: $1"; }
attack() { offers 10.77.0.66; }
twin() { offers 10.77.0.53; }
