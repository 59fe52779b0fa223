#!/bin/sh
# Installs the Debian packages that building and emulating need, when they are missing. Says what it does.
set -eu

needed="gcc libc6-dev binutils wabt qemu-system-x86 cpio libxen-dev busybox-static xz-utils gzip python3-minimal ca-certificates"
missing=""
for package in $needed; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "installing Debian packages:$missing"
as_root=""
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || { echo "error: not root and there is no sudo; as root: apt-get install$missing" >&2; exit 1; }
	as_root=sudo
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
