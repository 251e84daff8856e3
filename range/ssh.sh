# SPDX-License-Identifier: Apache-2.0
# ssh_server HOST ADDRESS:PORT…: sshd (OpenSSH) that lets root in with the key in /srv/key.
ssh_server() {
  local host=$1 listen=()
  shift
  for at in "$@"; do listen+=(-o "ListenAddress=$at"); done
  [ -e "$in/srv/key" ] || chroot "$in" sh -c 'mkdir -p /run/sshd; ssh-keygen -q -t ed25519 -N "" -f /srv/key; ssh-keygen -A' >>"$log" 2>&1
  serve "$host" /usr/sbin/sshd -D -e "${listen[@]}" -o PermitRootLogin=yes -o AuthorizedKeysFile=/srv/key.pub -o StrictModes=no
}
