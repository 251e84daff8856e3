# SPDX-License-Identifier: Apache-2.0
# Somebody else's key to our storage: a request signed with a key of the office from another place (curl --aws-sigv4). The twin is the office.
technique=T1530 what="our storage with the office's key" rule=keys-from-their-networks
policy() { cat <<END
weir: 1
$(zones)
accounts:
  keys: { file: accounts.tsv }
rules:
  - name: keys-from-their-networks
    technique: [T1530]
    match: { auth.binding: contradicts }
    action: reject
END
}
servers() {
  printf 'AKIAOFFICEEXAMPLE 10.77.0.53/32\n' >"$scratch/accounts.tsv"
  printf 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\ncontent' >"$in/srv/http"
  serve world socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'cat /srv/http; sleep 0.1'
}
fetch() { out "$1" curl -s --max-time 6 --aws-sigv4 aws:amz:eu-west-1:s3 --user AKIAOFFICEEXAMPLE:secret -H 'Host: ours.s3.example' http://10.77.0.200/list | grep -q content; }
attack() { fetch mallory; }
twin() { fetch office; }
