# SPDX-License-Identifier: Apache-2.0
# A program that has no business on the network: a copy of curl under its name, and a shell under its name whose child asks for a name. The twin
# is curl under its own.
technique=T1218.012 what="a program that has no business here" rule=verclsid on=alice
policy() { cat <<END
weir: 1
rules:
  - name: verclsid
    technique: [T1218.012]
    match: { process.path: "*/verclsid" }
    action: drop
  - name: verclsid-children
    technique: [T1218.012]
    match: { process.parent.path: "*/verclsid" }
    action: drop
END
}
servers() {
  printf 'HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\npage' >"$in/srv/http"
  serve world socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'cat /srv/http; sleep 0.1'
  serve world dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --bind-interfaces \
    --listen-address=10.77.0.200 --address=/example.org/198.51.100.80
  mkdir -p "$in/srv/a" "$in/srv/b"
  cp "$in/usr/bin/curl" "$in/srv/a/verclsid"
  cp "$in/usr/bin/dash" "$in/srv/b/verclsid"
}
by_itself() { out alice /srv/a/verclsid -s --max-time 3 http://10.77.0.200/ | grep -q page; }
by_a_child() { out alice /srv/b/verclsid -c 'dig +tries=1 +time=2 +short @10.77.0.200 www.example.org A; exit 0' | grep -q 198.51.100.80; }
attack() { by_itself || by_a_child; }
twin() { out alice curl -s --max-time 4 http://10.77.0.200/ | grep -q page; }
