# SPDX-License-Identifier: Apache-2.0
# The first process of a node, in process, mount and network namespaces of its own: when it ends, the kernel ends every
# process of the node, and mounts, interfaces and packet filters go with them. It does nothing but wait, and a shell that
# waits collects whatever orphans end. $1: the file that gets its process id as this machine counts.
set -eu
# /proc is still this machine's.
read -r pid _ </proc/self/stat
mount --make-rshared /
mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/log
# kubelet sets these for the whole machine. Here it gets copies.
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
    kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
    [ -e "/proc/sys/$setting" ] || continue
    copy="/run/setting-${setting##*/}"
    cat "/proc/sys/$setting" >"$copy"
    mount --bind "$copy" "/proc/sys/$setting"
done
echo 1 >/proc/sys/net/ipv4/ip_forward
ip link set lo up
echo "$pid" >"$1.partial"
mv "$1.partial" "$1"
while :; do sleep 3600; done
