# SPDX-License-Identifier: Apache-2.0
# A background transfer from a server that is no update server (curl, as BITS asks). The twin is the same transfer from the one that is.
technique=T1197 what="background transfers from strangers" rule=bits-to-update-servers
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: bits-to-update-servers
    technique: [T1197]
    match: { from: inside, app.protocol: bits }
    unless: [ { http.host: .update.example } ]
    action: reject
END
}
servers() {
  printf 'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-6/7\r\nContent-Length: 7\r\nConnection: close\r\n\r\npayload' >"$in/srv/http"
  serve world socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'cat /srv/http; sleep 0.1'
}
transfer() { out "$1" curl -s --max-time 6 -A 'Microsoft BITS/7.8' -H 'Range: bytes=0-6' -H "Host: $2" http://10.77.0.200/file.bin | grep -q payload; }
attack() { transfer mallory drop.stranger.example; }
twin() { transfer alice dl.update.example; }
