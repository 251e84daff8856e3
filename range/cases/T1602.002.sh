# SPDX-License-Identifier: Apache-2.0
# A device's configuration by TFTP, fetched by a workstation (dnsmasq, curl). The twin is the managers' host.
technique=T1602.002 what="a configuration by TFTP" rule=configurations-to-managers
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: configurations-to-managers
    technique: [T1602.002]
    match: { tftp.filename: ["*-confg", "*.cfg"] }
    unless: [ { peer: 10.77.0.10 } ]
    action: drop
END
}
servers() {
  mkdir -p "$in/srv/tftp"
  printf 'enable secret 5\n' >"$in/srv/tftp/router-confg"
  chmod -R a+rX "$in/srv/tftp"
  serve office dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --bind-interfaces --port=0 \
    --listen-address=10.77.0.53 --enable-tftp --tftp-root=/srv/tftp
}
fetch() { out "$1" curl -s --max-time 5 tftp://10.77.0.53/router-confg | grep -q 'enable secret'; }
attack() { fetch mallory; }
twin() { fetch alice; }
