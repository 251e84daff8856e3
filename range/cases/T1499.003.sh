# SPDX-License-Identifier: Apache-2.0
# A costly page, again and again (curl, in a loop). The twin asks for it at a person's pace.
technique=T1499.003 what="a costly request again and again" rule=costly-requests
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: costly-requests
    technique: [T1499.003]
    match: { to: 10.77.0.53, http.path: [/search, /report] }
    action: { limit: { rate: 2 requests/s, burst: 5, per: from } }
END
}
servers() {
  printf 'HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\nresults' >"$in/srv/http"
  serve office socat TCP-LISTEN:80,bind=10.77.0.53,fork,reuseaddr SYSTEM:'cat /srv/http; sleep 0.1'
}
attack() {
  at mallory sh -c 'n=0; for i in $(seq 40); do curl -s --max-time 0.5 "http://10.77.0.53/search?q=$i" | grep -q results && n=$((n + 1)); done; [ $n -ge 35 ]'
}
twin() { for q in 1 2 3; do out alice curl -s --max-time 4 "http://10.77.0.53/search?q=$q" | grep -q results || return 1; sleep 0.6; done; }
