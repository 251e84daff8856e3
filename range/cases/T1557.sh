# SPDX-License-Identifier: Apache-2.0
# A downgrade that an adversary in the middle lives off: TLS 1.1, which has known breaks, still spoken by a server inside (OpenSSL). The twin speaks
# TLS 1.2 with the same server.
technique=T1557 what="TLS of a version with known breaks" rule=no-old-tls
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: no-old-tls
    technique: [T1557]
    match: { tls.version: [ssl3, "1.0", "1.1"] }
    action: reject
END
}
servers() {
  chroot "$in" openssl req -x509 -newkey rsa:2048 -nodes -keyout /srv/key.pem -out /srv/cert.pem -days 1 -subj /CN=office.example >>"$log" 2>&1
  printf 'password' >"$in/srv/secret.txt"
  serve office sh -c 'cd /srv && exec openssl s_server -quiet -accept 10.77.0.53:443 -key key.pem -cert cert.pem -cipher DEFAULT@SECLEVEL=0 -min_protocol TLSv1 -WWW'
}
fetch() { printf 'GET /secret.txt HTTP/1.0\r\n\r\n' | ip netns exec alice chroot "$in" timeout 6 openssl s_client -quiet -ign_eof -connect 10.77.0.53:443 "$@" 2>>"$log" | grep -q password; }
attack() { fetch -tls1_1 -cipher DEFAULT@SECLEVEL=0; }
twin() { fetch -tls1_2; }
