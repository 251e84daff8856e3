# SPDX-License-Identifier: Apache-2.0
# A device's shell, from a workstation (OpenSSH). The twin is the managers' host.
technique=T1602 what="a device's shell from a workstation" rule=devices-by-managers
. "$(dirname "$case")/../ssh.sh"
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: devices-by-managers
    technique: [T1602]
    match: { to: 10.77.0.53, app.protocol: [ssh, telnet, snmp, tftp, smart-install] }
    unless: [ { from: 10.77.0.10 } ]
    action: reject
END
}
servers() {
  ssh_server office 10.77.0.53:22 10.77.0.53:2222
}
config() { out "$1" ssh -p "$2" -i /srv/key -o StrictHostKeyChecking=no -o ConnectTimeout=4 root@10.77.0.53 'echo running configuration' | grep -q running; }
attack() { config mallory 22 || config mallory 2222; }
twin() { config alice 22; }
