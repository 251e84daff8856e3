# SPDX-License-Identifier: Apache-2.0
# A forged request: a service inside fetches what a parameter names, and it names the metadata service, written as one number (curl, socat). The
# twin lets it fetch an ordinary page.
technique=T1552 what="a request that makes a service ask for secrets" rule=guard.ssrf
. "$(dirname "$case")/../metadata.sh"
policy() { cat <<END
weir: 1
$(zones)
guards:
  ssrf: { technique: [T1552] }
rules: []
END
}
servers() {
  metadata_service office
  cat >"$in/srv/fetcher" <<'END'
read -r method path rest
while read -r header; do [ "$header" = "$(printf '\r')" ] && break; done
printf 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'
exec curl -s --max-time 4 "${path#*url=}"
END
  serve office socat TCP-LISTEN:8080,bind=10.77.0.53,fork,reuseaddr EXEC:'sh /srv/fetcher'
  printf 'HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\npage' >"$in/srv/http"
  serve world socat TCP-LISTEN:80,bind=10.77.0.200,fork,reuseaddr SYSTEM:'cat /srv/http; sleep 0.1'
}
attack() { out world curl -s --max-time 6 "http://10.77.0.53:8080/fetch?url=http://2852039166/latest/meta-data/" | grep -q secret; }
twin() { out world curl -s --max-time 6 "http://10.77.0.53:8080/fetch?url=http://10.77.0.200/page" | grep -q page; }
