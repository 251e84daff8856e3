# SPDX-License-Identifier: Apache-2.0
# A proxy on a port of its own: the web through SOCKS (ssh -D, curl). The twin asks the same server itself.
technique=T1090 what="the web through a stranger's proxy" rule=no-socks
. "$(dirname "$case")/../ssh.sh"
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: no-socks
    technique: [T1090]
    match: { from: inside, to: outside, app.protocol: socks }
    action: reject
END
}
servers() {
  printf 'HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\npage' >"$in/srv/http"
  serve world socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'cat /srv/http; sleep 0.1'
  ssh_server world 127.0.0.1:2200
  sleep 1
  serve world ssh -N -D 10.77.0.200:9988 -g -p 2200 -i /srv/key -o StrictHostKeyChecking=no root@127.0.0.1
}
attack() { out mallory curl -s --max-time 6 --socks5-hostname 10.77.0.200:9988 http://10.77.0.200/ | grep -q page; }
twin() { out alice curl -s --max-time 6 http://10.77.0.200/ | grep -q page; }
