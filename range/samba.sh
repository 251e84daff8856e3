# SPDX-License-Identifier: Apache-2.0
# samba HOST ADDRESS PORT [SETTING]: a file server with the shares files and C$, and the account root with the password demo.
samba() {
  mkdir -p "$in/srv/smb-$1"
  printf 'the quarterly plan\n' >"$in/srv/files/plan.txt"
  printf 'a program\n' >"$in/srv/admin/run.exe"
  cat >"$in/srv/smb-$1.conf" <<END
[global]
  bind interfaces only = yes
  interfaces = $2/32
  disable netbios = yes
  smb ports = $3
  ${4:-}
  private dir = /srv/smb-$1
  lock directory = /srv/smb-$1
  state directory = /srv/smb-$1
  cache directory = /srv/smb-$1
  pid directory = /srv/smb-$1
  ncalrpc dir = /srv/smb-$1/rpc
  log file = /srv/smb-$1/log
  passdb backend = tdbsam:/srv/smb-$1/passdb.tdb
[files]
  path = /srv/files
[C\$]
  path = /srv/admin
END
  printf 'demo\ndemo\n' | chroot "$in" smbpasswd -c "/srv/smb-$1.conf" -a -s root >>"$log" 2>&1
  serve "$1" smbd --foreground --no-process-group --configfile="/srv/smb-$1.conf"
}
