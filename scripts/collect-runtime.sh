#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# collect-runtime.sh BINARY ROOT: puts into ROOT all that BINARY needs of Debian to run alone in an image, and nothing
# else: the closure of its shared libraries, the certificate authorities, name resolution, a user. The licences of what is
# copied come along, and its package records, by which scanners know the versions (as in the distroless images).
set -eu

binary=$1
root=$2
packages="base-files ca-certificates openssl"

# Debian 12 has /lib as a link to /usr/lib, and so must the image: the path of the loader is in the binary.
make_folders() {
    mkdir -p "$root"/etc/ssl/certs "$root"/usr/lib/ssl "$root"/var/lib/dpkg/status.d
    mkdir -m 1777 "$root"/tmp
    for dir in /lib /lib64; do
        [ -L "$dir" ] || continue
        ln -s "$(readlink "$dir")" "$root$dir"
        mkdir -p "$root/usr$dir"
    done
}

# Copied under the name that the loader asks for. Packages may list a file with /usr or without.
copy_library() {
    name=/usr${1#/usr}
    mkdir -p "$root$(dirname "$name")"
    cp -L "$name" "$root$name"
    file=$(realpath "$name")
    owner=$(dpkg-query -S "$file" "${file#/usr}" 2>/dev/null | sed -n '1s/: .*//p')
    packages="$packages ${owner:?"$name belongs to no package"}"
}

# libgcc_s is not linked: glibc loads it when a thread ends early.
copy_libraries() {
    for library in $(ldd "$binary" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }') \
        "$(ldconfig -p | awk '$1 == "libgcc_s.so.1" { print $NF; exit }')"; do
        copy_library "$library"
    done
}

copy_etc() {
    cp -L /etc/ssl/certs/ca-certificates.crt "$root"/etc/ssl/certs/
    cp -L /etc/ssl/openssl.cnf "$root"/etc/ssl/
    ln -s /etc/ssl/certs "$root"/usr/lib/ssl/certs
    ln -s /etc/ssl/openssl.cnf "$root"/usr/lib/ssl/openssl.cnf
    cp -L /etc/os-release "$root"/etc/
    printf 'hosts: files dns\n' >"$root"/etc/nsswitch.conf
    printf 'kubecent:x:10001:10001:kubecent-backend:/:/nonexistent\n' >"$root"/etc/passwd
    printf 'kubecent:x:10001:\n' >"$root"/etc/group
}

copy_records() {
    for package in $packages; do
        name=${package%%:*}
        dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$name"
        mkdir -p "$root/usr/share/doc/$name"
        cp -L "/usr/share/doc/$name/copyright" "$root/usr/share/doc/$name/"
    done
}

make_folders
copy_libraries
copy_etc
copy_records
# The same packages give the same layer, whenever it is built.
find "$root" -exec touch -h -d @0 {} +
