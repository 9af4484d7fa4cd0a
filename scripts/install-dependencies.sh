#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing from Debian 12's packages: install-dependencies.sh build|test|lint|bench|browser|coverage|packaging|prometheus ...
# Asks nothing, and does nothing (not even apt-get update) when all is there.
set -eu

build="gcc libc6-dev make cmake ninja-build pkg-config libmicrohttpd-dev libgnutls28-dev libcurl4-openssl-dev libjansson-dev
libuv1-dev uthash-dev libxxhash-dev libdeflate-dev libhiredis-dev"
# redis-tools has the server as well (redis-check-rdb is the same program), and starts none, as redis-server does.
test="libcmocka-dev python3 python3-pytest curl openssl procps redis-tools libfaketime"
lint="clang clang-format clang-tidy shellcheck valgrind libclang-rt-14-dev"
# nginx is measured beside us where it is installed; it is not installed for that, as it would start serving.
bench="wrk nghttp2-client"
browser="chromium fonts-dejavu-core"
# What judges the man page and the systemd unit.
packaging="groff-base mandoc systemd"
coverage="gcovr"
# Where systemd runs, the package starts a Prometheus on port 9090; so only .ci/run asks for it.
prometheus="prometheus"
# Node often comes from elsewhere than Debian.
command -v node >/dev/null || browser="$browser nodejs"
command -v npm >/dev/null || browser="$browser npm"

wanted=
for group in "$@"; do
    case $group in
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $test" ;;
    lint) wanted="$wanted $lint" ;;
    bench) wanted="$wanted $bench" ;;
    browser) wanted="$wanted $browser" ;;
    coverage) wanted="$wanted $coverage" ;;
    prometheus) wanted="$wanted $prometheus" ;;
    packaging) wanted="$wanted $packaging" ;;
    *)
        echo "usage: $0 build|test|lint|bench|browser|coverage|packaging|prometheus ..." >&2
        exit 2
        ;;
    esac
done

missing=
for package in $wanted; do
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Installing:$missing" >&2
as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Please run this as root, or install sudo: packages are missing." >&2
        exit 1
    fi
    as_root=sudo
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086 # the list is meant to be split into words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
