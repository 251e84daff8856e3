# SPDX-License-Identifier: Apache-2.0
# Tools from workstation to workstation: mallory fetches a program from a share on alice's machine. The twin fetches from the server.
technique=T1570 what="files between workstations" rule=no-smb-between-workstations
. "$(dirname "$case")/../samba.sh"
policy() { cat <<END
weir: 1
$(zones)
sets:
  workstations: { addresses: [10.77.0.10, 10.77.0.66] }
rules:
  - name: no-smb-between-workstations
    technique: [T1570]
    match: { from: "@workstations", to: "@workstations", app.protocol: smb }
    action: drop
END
}
servers() { samba alice 10.77.0.10 "445 4450"; samba office 10.77.0.53 445; }
fetch() { at mallory timeout 8 smbclient "//$1/files" -p "$2" -U root%demo -c 'get plan.txt /dev/null'; }
attack() { fetch 10.77.0.10 445 || fetch 10.77.0.10 4450; }
twin() { fetch 10.77.0.53 445; }
