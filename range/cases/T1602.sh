# SPDX-License-Identifier: Apache-2.0
# A device's shell, from a workstation (OpenSSH). The twin is the managers' host.
technique=T1602 what="a device's shell from a workstation" rule=devices-by-managers
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
  chroot "$in" sh -c 'mkdir -p /run/sshd /root/.ssh; ssh-keygen -q -t ed25519 -N "" -f /srv/key; cat /srv/key.pub >/root/.ssh/authorized_keys; chmod 700 /root/.ssh; ssh-keygen -A' >>"$log" 2>&1
  serve office /usr/sbin/sshd -D -e -o ListenAddress=10.77.0.53:22 -o ListenAddress=10.77.0.53:2222 -o PermitRootLogin=yes
}
config() { out "$1" ssh -p "$2" -i /srv/key -o StrictHostKeyChecking=no -o ConnectTimeout=4 root@10.77.0.53 'echo running configuration' | grep -q running; }
attack() { config mallory 22 || config mallory 2222; }
twin() { config alice 22; }
