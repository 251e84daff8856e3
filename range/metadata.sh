# SPDX-License-Identifier: Apache-2.0
# metadata_service HOST: what a cloud's instances ask, at 169.254.169.254 (socat): PUT /latest/api/token gives a token, any GET the secret.
metadata_service() {
  ip -n "$1" addr add 169.254.169.254/32 dev eth0
  for h in alice mallory office; do [ "$h" = "$1" ] || ip -n "$h" route add 169.254.169.254/32 dev eth0; done
  cat >"$in/srv/metadata" <<'END'
read -r method path rest
while read -r header; do [ "$header" = "$(printf '\r')" ] && break; done
body=secret
[ "$method" = PUT ] && body=token
printf 'HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' ${#body} $body
sleep 0.1
END
  serve "$1" socat TCP-LISTEN:80,bind=169.254.169.254,fork,reuseaddr EXEC:'sh /srv/metadata'
}
