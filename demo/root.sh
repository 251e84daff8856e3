#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# demo/root.sh: prints the path of a small Debian root of its own that holds the servers, clients and attack tools which
# demo/record.sh runs between namespaces. Nothing is installed on this machine and nothing is started: the packages are
# unpacked below the user's cache folder, named by the hash of the package list, and reused the next time. It takes what
# it needs (mirror, keys) from the machine's own apt configuration. Needs root; only record.sh needs it.
set -euo pipefail

packages="arping curl dnsmasq-base dnsutils dsniff ethtool ftp hping3 iodine iproute2 iputils-ping netcat-openbsd nginx-light
  nmap openssh-client openssh-server openssl procps samba smbclient snmp snmpd socat tcpdump telnet vsftpd"
suite=bookworm

[ "$(id -u)" = 0 ] || { echo "demo/root.sh: needs root (it makes a chroot)" >&2; exit 3; }
hash=$(printf '%s' "$suite $packages" | sha256sum | cut -c1-12)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/weir
root=$cache/root-$hash
if [ -e "$root/.complete" ]; then echo "$root"; exit 0; fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/debootstrap-XXXXXX")
trap 'rm -rf "$work"' EXIT

# debootstrap is a shell script in a package: unpacked it runs from where it is.
if command -v debootstrap >/dev/null; then
  debootstrap=(debootstrap)
else
  (cd "$work" && apt-get download -qq debootstrap >&2 && dpkg-deb -x debootstrap_*.deb tool)
  export DEBOOTSTRAP_DIR=$work/tool/usr/share/debootstrap
  debootstrap=("$work/tool/usr/sbin/debootstrap")
fi
mirror=$(apt-get indextargets --format '$(SITE)' "Codename: $suite" 2>/dev/null | head -1)
[ -n "$mirror" ] || { echo "demo/root.sh: no apt source for $suite on this machine" >&2; exit 3; }

echo "demo/root.sh: making $root (about a minute)" >&2
rm -rf "$root"
"${debootstrap[@]}" --variant=minbase "$suite" "$root" "$mirror" >"$work/log" 2>&1 || { tail -20 "$work/log" >&2; exit 3; }
for part in sources.list sources.list.d keyrings trusted.gpg.d apt.conf.d preferences.d; do
  if [ -e "/etc/apt/$part" ]; then rm -rf "${root:?}/etc/apt/$part"; cp -a "/etc/apt/$part" "$root/etc/apt/"; fi
done
cp -a /usr/share/keyrings/. "$root/usr/share/keyrings/"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"   # no service starts
chmod 755 "$root/usr/sbin/policy-rc.d"
chroot "$root" apt-get -qq update >>"$work/log" 2>&1
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -qq install -y --no-install-recommends $packages \
  >>"$work/log" 2>&1 || { tail -20 "$work/log" >&2; exit 3; }
touch "$root/.complete"
echo "$root"
