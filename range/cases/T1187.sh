# SPDX-License-Identifier: Apache-2.0
# Forced authentication: alice is lured to a file server outside, on SMB's port and on another, and shows it her credentials.
# The twin is the same login at the office's own server.
technique=T1187 what="forced authentication" rule=smb-leaves
. "$(dirname "$case")/../samba.sh"
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: smb-leaves
    technique: [T1187]
    match: { from: inside, to: outside, app.protocol: smb }
    action: drop
END
}
servers() { samba world 10.77.0.200 "445 8445"; samba office 10.77.0.53 445; }
login() { at "$1" timeout 8 smbclient "//$2/files" -p "$3" -U root%demo -c 'get plan.txt /dev/null'; }
attack() { login alice 10.77.0.200 445 || login alice 10.77.0.200 8445; }
twin() { login alice 10.77.0.53 445; }
