# SPDX-License-Identifier: Apache-2.0
#
# What play and soak begin with: a throw-away copy of the root $root at $in, four hosts, each with a wire to a port here, and
# the words serve, at and out. Sourced inside namespaces that range/run or range/soak made.
#
#   p0 alice .10, a workstation   p1 world .200, outside   p2 mallory .66, a workstation taken over   p3 office .53, servers
# shellcheck shell=bash disable=SC2154,SC2034
scratch=$(mktemp -d)
mount -t tmpfs range "$scratch"
trap 'umount -l "$scratch" 2>/dev/null; rmdir "$scratch" 2>/dev/null || true' EXIT
mkdir -p "$scratch/up" "$scratch/work" "$scratch/root"
mount -t overlay range -o "lowerdir=$root,upperdir=$scratch/up,workdir=$scratch/work" "$scratch/root"
in=$scratch/root log=$scratch/log events=$scratch/events said=$scratch/said
: >"$log"
mount --bind /dev "$in/dev"
mount -t proc proc "$in/proc"
mount -t tmpfs run /run
mkdir -p /run/netns "$in/srv/files" "$in/srv/admin"
printf '# no resolver\n' >"$in/etc/resolv.conf"
hostname range

# Where Weir stands on a host ($on), that host's programs are in a control group of their own, so that nothing of the machine is.
enter() {
  local host=$1
  shift
  if [ "$host" = "${on:-}" ]; then
    sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$group" ip netns exec "$host" chroot "$in" "$@"
  else
    ip netns exec "$host" chroot "$in" "$@"
  fi
}
at() { local host=$1; shift; enter "$host" timeout 20 "$@" >>"$log" 2>&1 </dev/null; }
out() { local host=$1; shift; enter "$host" timeout 20 "$@" 2>>"$log" </dev/null; }
serve() { local host=$1; shift; enter "$host" "$@" >>"$log" 2>&1 </dev/null & served+=($!); }
served=()
host() { # NAME PORT ADDRESS MAC
  ip netns add "$1"
  ip link add "$2" type veth peer name eth0 netns "$1" address "$4"
  ip link set "$2" up
  ip -n "$1" link set lo up
  ip -n "$1" addr add "$3/24" dev eth0
  ip -n "$1" link set eth0 up
}
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
ip link set lo up
host alice   p0 10.77.0.10  02:00:00:00:77:10
host world   p1 10.77.0.200 02:00:00:00:77:c8
host mallory p2 10.77.0.66  02:00:00:00:77:66
host office  p3 10.77.0.53  02:00:00:00:77:53
ports="p0 p1 p2 p3"

zones() { cat <<END
zones:
  inside:  { ports: [p0, p2, p3], networks: [10.77.0.0/25] }
  outside: { ports: [p1] }
END
}
