# SPDX-License-Identifier: Apache-2.0
# A hole in the boundary on request: UPnP's AddPortMapping to the router (curl). The twin asks the router for its description.
technique=T1599.001 what="a hole in the boundary on request" rule=no-upnp-mappings
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: no-upnp-mappings
    technique: [T1599.001]
    match: { from: inside, http.header: "SOAPAction:*AddPortMapping*" }
    action: reject
END
}
servers() {
  printf 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nmapped' >"$in/srv/http"
  serve world socat TCP-LISTEN:5000,fork,reuseaddr SYSTEM:'cat /srv/http; sleep 0.1'
}
attack() {
  out mallory curl -s --max-time 5 -H 'SOAPAction: "urn:schemas-upnp-org:service:WANIPConnection:1#AddPortMapping"' -H 'Content-Type: text/xml' \
    -d '<NewExternalPort>4444</NewExternalPort>' http://10.77.0.200:5000/ctl/IPConn | grep -q mapped
}
twin() { out alice curl -s --max-time 5 http://10.77.0.200:5000/rootDesc.xml | grep -q mapped; }
