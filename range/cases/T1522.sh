# SPDX-License-Identifier: Apache-2.0
# The metadata service, asked by anybody on the host (curl). The twin is the one user that may.
technique=T1522 what="the metadata service by the wrong user" rule=metadata on=alice
. "$(dirname "$case")/../metadata.sh"
policy() { cat <<END
weir: 1
rules:
  - name: metadata-agent
    match: { to: 169.254.169.254, user: daemon }
    action: allow
  - name: metadata
    technique: [T1522, T1552.005]
    match: { to: 169.254.169.254 }
    action: reject
END
}
servers() { metadata_service world; }
attack() { out alice curl -s --max-time 4 http://169.254.169.254/latest/ | grep -q secret; }
twin() { out alice setpriv --reuid daemon --clear-groups curl -s --max-time 4 http://169.254.169.254/latest/ | grep -q secret; }
