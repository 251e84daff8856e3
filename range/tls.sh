# SPDX-License-Identifier: Apache-2.0
# tls_server HOST ADDRESS:PORT WORD: a web server over TLS (OpenSSL) whose page is that word. tls_fetch HOST ADDRESS:PORT OPTIONS…: prints the page.
tls_server() {
  [ -e "$in/srv/key.pem" ] || chroot "$in" openssl req -x509 -newkey rsa:2048 -nodes -keyout /srv/key.pem -out /srv/cert.pem -days 1 -subj /CN=server.example >>"$log" 2>&1
  mkdir -p "$in/srv/$3"
  printf '%s' "$3" >"$in/srv/$3/page.txt"
  serve "$1" sh -c "cd /srv/$3 && exec openssl s_server -quiet -accept $2 -key /srv/key.pem -cert /srv/cert.pem -WWW"
}
tls_fetch() {
  local host=$1 server=$2
  shift 2
  printf 'GET /page.txt HTTP/1.0\r\n\r\n' | ip netns exec "$host" chroot "$in" timeout 6 openssl s_client -quiet -ign_eof -connect "$server" "$@" 2>>"$log"
}
