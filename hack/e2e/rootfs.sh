#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A small Debian with Python and what the sample application requires, as the tar file of one layer. In a mount namespace
# of its own (`unshare --mount`), as debootstrap mounts. $1: requirements.txt, $2: the tar file.
set -eu
root=$(mktemp -d)
trap 'umount "$root/proc" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT
debootstrap --variant=minbase --include=python3,python3-pip bookworm "$root" http://deb.debian.org/debian
# The authorities that this machine trusts: between it and the registry may be somebody with one of his own.
cp "${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}" "$root/tmp/authorities.pem"
cp "$1" "$root/tmp/requirements.txt"
cp /etc/resolv.conf "$root/etc/resolv.conf"
# Only what is said here: variables of this machine name files that are not the same in there.
chroot "$root" env -i PATH=/usr/local/bin:/usr/bin:/bin PIP_CERT=/tmp/authorities.pem \
    ${HTTPS_PROXY:+HTTPS_PROXY="$HTTPS_PROXY"} ${https_proxy:+https_proxy="$https_proxy"} \
    python3 -m pip install --break-system-packages --root-user-action=ignore --no-cache-dir --requirement /tmp/requirements.txt
rm -rf "$root"/tmp/* "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/usr/share/doc \
    "$root"/usr/share/man "$root"/usr/share/locale "$root"/etc/resolv.conf "$root"/etc/hostname
tar --create --file "$2" --directory "$root" --one-file-system --sort=name --numeric-owner .
