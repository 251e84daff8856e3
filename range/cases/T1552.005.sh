# SPDX-License-Identifier: Apache-2.0
# The metadata service, asked without a token, as one forged request does (curl). The twin asks for a token first.
technique=T1552.005 what="the metadata service without a token" rule=metadata-with-token
. "$(dirname "$case")/../metadata.sh"
policy() { cat <<END
weir: 1
$(zones)
rules:
  - name: metadata-with-token
    technique: [T1552.005]
    match: { to: 169.254.169.254, http.method: GET, not.http.header: "X-aws-ec2-metadata-token:*" }
    action: reject
END
}
servers() { metadata_service world; }
ask() { curl="curl -s --max-time 5"; out "$1" sh -c "$curl $2 http://169.254.169.254/latest/meta-data/iam/security-credentials/role"; }
attack() { ask mallory "" | grep -q secret; }
twin() {
  token=$(out alice curl -s --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
  [ "$token" = token ] && ask alice "-H 'X-aws-ec2-metadata-token: $token'" | grep -q secret
}
