# SPDX-License-Identifier: Apache-2.0
# SMB administrator's shares: a workstation mounts C$ of the office's server. The twin is the share that is meant for her.
technique=T1021.002 what="administrators' shares" rule=admin-shares
. "$(dirname "$case")/../samba.sh"
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: admin-shares
    technique: [T1021.002]
    match: { from: inside, smb.share: ["C\$", "ADMIN\$"] }
    action: drop
END
}
servers() { samba office 10.77.0.53 445; }
attack() { at mallory timeout 8 smbclient '//10.77.0.53/C$' -U root%demo -c 'get run.exe /dev/null'; }
twin() { at alice timeout 8 smbclient //10.77.0.53/files -U root%demo -c 'get plan.txt /dev/null'; }
