# SPDX-License-Identifier: Apache-2.0
# A device's configuration by SNMP: mallory walks the office switch with the community that it was shipped with. The twin is the management
# station (alice) with SNMPv3.
technique=T1602.001 what="SNMP from a workstation" rule=snmp-from-management-only
policy() { cat <<END
weir: 1
$(zones)
sets:
  management: { addresses: [10.77.0.10] }
rules:
  - name: snmp-from-management-only
    technique: [T1602.001]
    match: { app.protocol: snmp }
    unless: [ { from: "@management", snmp.version: 3 } ]
    action: drop
END
}
servers() {
  cat >"$in/srv/snmpd.conf" <<END
agentaddress udp:10.77.0.53:161
rocommunity public
createUser monitor SHA demo-demo-demo AES demo-demo-demo
rouser monitor priv
sysDescr A switch
END
  serve office env MIBS= snmpd -f -Lo -C -c /srv/snmpd.conf -p /run/snmpd-range.pid
}
attack() { at mallory env MIBS= snmpbulkwalk -t 1 -r 1 -v2c -c public 10.77.0.53 .1.3.6.1.2.1.1; }
twin() { at alice env MIBS= snmpget -t 1 -r 2 -v3 -u monitor -l authPriv -a SHA -A demo-demo-demo -x AES -X demo-demo-demo 10.77.0.53 .1.3.6.1.2.1.1.1.0; }
