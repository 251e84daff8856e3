# SPDX-License-Identifier: Apache-2.0
# A session that can be relayed: a file server that does not sign (samba). The twin is the one that must.
technique=T1557.001 what="sessions that can be relayed" rule=smb-requires-signing
. "$(dirname "$case")/../samba.sh"
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: smb-requires-signing
    technique: [T1557.001]
    match: { smb.signing: [none, enabled] }
    action: drop
END
}
servers() {
  samba mallory 10.77.0.66 445
  samba office 10.77.0.53 445 "server signing = mandatory"
}
fetch() { at alice timeout 8 smbclient "//$1/files" -U root%demo -c 'get plan.txt /dev/null'; }
attack() { fetch 10.77.0.66; }
twin() { fetch 10.77.0.53; }
