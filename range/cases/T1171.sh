# SPDX-License-Identifier: Apache-2.0
# An answer to everybody's question: a workstation that calls itself the file server, by NetBIOS (nmbd). The twin asks the name server.
technique=T1171 what="answers to names asked by broadcast" rule=no-names-by-broadcast
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: no-names-by-broadcast
    technique: [T1171, T1557.001]
    match: { app.protocol: [nbns, llmnr] }
    action: drop
END
}
servers() {
  mkdir -p "$in/srv/nmb"
  cat >"$in/srv/nmb.conf" <<END
[global]
  netbios name = FILESRV
  bind interfaces only = yes
  interfaces = 10.77.0.66/24
  private dir = /srv/nmb
  lock directory = /srv/nmb
  state directory = /srv/nmb
  cache directory = /srv/nmb
  pid directory = /srv/nmb
  log file = /srv/nmb/log
END
  serve mallory nmbd --foreground --no-process-group --configfile=/srv/nmb.conf
  serve office dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --bind-interfaces \
    --listen-address=10.77.0.53 --address=/filesrv.example/10.77.0.53
  sleep 3  # nmbd claims its name first.
}
attack() { out alice nmblookup -s /dev/null -B 10.77.0.255 FILESRV | grep -q 10.77.0.66; }
twin() { out alice dig +tries=2 +time=2 +short @10.77.0.53 filesrv.example A | grep -q 10.77.0.53; }
