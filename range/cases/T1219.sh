# SPDX-License-Identifier: Apache-2.0
# Remote control from outside: a relay of such a tool, by the name in the hello of TLS on a port of the web (OpenSSL), and a screen served
# straight to the outside on a web port (RFB by socat). The twin is the web.
technique=T1219 what="remote control by relays and on web ports" rule=remote-tools
. "$(dirname "$case")/../tls.sh"
policy() { cat <<END
weir: 1
$(zones)
sets:
  remote-tools: { domains: [.relay-tool.example] }
rules:
  - name: remote-tools
    technique: [T1219]
    match: { from: inside, tls.sni: "@remote-tools" }
    action: reject
  - name: remote-screens
    technique: [T1219]
    match: { from: inside, to: outside, app.protocol: [rfb, rdp, teamviewer] }
    action: reject
END
}
servers() {
  tls_server world 10.77.0.200:443 page
  serve world socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'printf "RFB 003.008\n"; read -r version; printf "\001\001"; sleep 1'
}
relay() { tls_fetch mallory 10.77.0.200:443 -servername eu1.relay-tool.example | grep -q page; }
screen() { out mallory sh -c 'printf "RFB 003.008\n" | timeout 4 socat -t 2 - TCP:10.77.0.200:80' | tail -c 2 | grep -qaP '\x01\x01'; }
attack() { relay || screen; }
twin() { tls_fetch alice 10.77.0.200:443 -servername www.example.com | grep -q page; }
