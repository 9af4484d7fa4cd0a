#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# test-image.sh [--install] [--keep]: builds the image as it would be released, runs it as it should be run (read-only, no
# capabilities, no root) and looks at it from outside. Needs no Docker engine: buildah builds, podman runs.
#
#   --install  get the tools from Debian first (also with CI=true)
#   --keep     leave the image behind, as localhost/kubecent-backend:test
#
# Exits with 77 (skipped) when not root, when tools are missing or when no container can be run.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly BASE=docker.io/library/debian:bookworm-slim
readonly IMAGE=localhost/kubecent-backend:test
readonly SOURCE=https://git.example/kubecent-backend
readonly VERSION=9.8.7 REVISION=0123456789abcdef0123456789abcdef01234567
readonly SIZE_LIMIT_BYTES=$((12 * 1000 * 1000)) # compressed; 8.7 MB when this was written
readonly PACKAGES=(buildah catatonit conmon containernetworking-plugins curl iptables mmdebstrap openssl podman runc)
readonly TOOLS=(buildah curl mmdebstrap openssl podman runc)
readonly CACHE=$PWD/build/image
readonly NAME=kubecent-image-test-$$

install=${CI:-false}
keep=false
passed=0
failed=0
work=
tls_pid=
scheme=http
authority=/etc/ssl/certs/ca-certificates.crt # also where there is nothing to check

# --- telling ---------------------------------------------------------------------------------------------------------

skip() {
    echo "skipped: $1"
    exit 77
}

# check CLAIM COMMAND...: the claim holds when the command succeeds; what it printed is shown when it does not.
check() {
    local claim=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $claim"
    else
        failed=$((failed + 1))
        echo "FAILED  $claim"
        sed 's/^/        /' "$work/output"
    fi
}

# --- making ----------------------------------------------------------------------------------------------------------

install_tools() {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${PACKAGES[@]}" >/dev/null
}

# Debian's default runtime cannot work with hybrid cgroups, and podman may ask for more files than the hard limit allows.
configure_podman() {
    local files
    files=$(ulimit -Hn)
    cat >"$work/containers.conf" <<END
[containers]
default_ulimits = ["nofile=$files:$files", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
END
    export CONTAINERS_CONF=$work/containers.conf
}

# What the published debian:bookworm-slim holds, made from the archive, so that FROM resolves without a registry.
make_base() {
    podman image exists "$BASE" && return
    if [ ! -f "$CACHE/base.tar" ]; then
        mkdir -p "$CACHE"
        # shellcheck disable=SC2016 # $1 is for the hook
        mmdebstrap --quiet --variant=minbase \
            --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
            --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
            --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*' \
            bookworm "$CACHE/base.new.tar"
        mv "$CACHE/base.new.tar" "$CACHE/base.tar"
    fi
    podman import -q "$CACHE/base.tar" "$BASE" >/dev/null
}

# Whether containers can be run at all, whatever is in them.
can_run_containers() {
    podman run --rm --network host "$BASE" true >"$work/probe.log" 2>&1
}

build() {
    buildah build --isolation chroot --pull=never --format docker --build-arg "VERSION=$VERSION" \
        --build-arg "REVISION=$REVISION" --build-arg CREATED=2026-01-01T00:00:00Z --build-arg "SOURCE=$SOURCE" -t "$IMAGE" . >"$work/build.log" 2>&1 ||
        { tail -n 40 "$work/build.log"; return 1; }
}

# --- running ---------------------------------------------------------------------------------------------------------

# Below the ports that the kernel hands out itself.
free_port() {
    local port
    while port=$((20000 + RANDOM % 10000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

# start SUFFIX PORT [PODMAN OPTION...] -- [ARGUMENT...]
start() {
    local name=$NAME-$1 port=$2
    local options=()
    shift 2
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    # podman grumbles that there is no systemd to time health checks by.
    podman run -d --name "$name" --network host --read-only --read-only-tmpfs=false --cap-drop ALL \
        --security-opt no-new-privileges --user 10001:10001 --memory 128m --pids-limit 64 \
        -e HOST=127.0.0.1 -e "PORT=$port" "${options[@]}" "$IMAGE" "$@" >/dev/null 2>"$work/run.log" ||
        { cat "$work/run.log"; return 1; }
}

# until_ok SECONDS COMMAND...
until_ok() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

# answers PATH TEXT: 200, with TEXT in it; at $scheme and $port
answers() {
    local answer
    answer=$(curl -sS --fail --max-time 5 --cacert "$authority" "$scheme://localhost:$port$1") || return 1
    [[ $answer == *$2* ]] || { echo "no $2 in: ${answer:0:400}"; return 1; }
}

status_field() {
    awk -v field="$1:" '$1 == field { print $2 }' "/proc/$(podman inspect "$NAME-demo" --format '{{.State.Pid}}')/status"
}

is() {
    [ "$1" = "$2" ] || { echo "expected '$2', got '$1'"; return 1; }
}

stops_with_0() {
    local log
    podman stop -t 20 "$NAME-$1" >/dev/null 2>&1
    is "$(podman inspect "$NAME-$1" --format '{{.State.ExitCode}}')" 0
    log=$(podman logs "$NAME-$1" 2>&1)
    [[ $log == *application.shutdown* ]]
}

# --- looking ---------------------------------------------------------------------------------------------------------

inspect() {
    podman image inspect "$IMAGE" --format "$1"
}

fits() {
    local bytes
    bytes=$(podman save "$IMAGE" 2>/dev/null | gzip -6 | wc -c)
    echo "$bytes bytes compressed, $(inspect '{{.Size}}') unpacked" | tee "$work/size"
    [ "$bytes" -le "$SIZE_LIMIT_BYTES" ]
}

# Regular files with an execute bit; libraries are not started.
programs_in_it() {
    local found
    found=$(awk '$1 ~ /^-..[xs]|^-.....[xs]|^-........[xt]/ && $6 !~ /\.so(\.|$)/ { print $6 }' "$work/files")
    is "$found" usr/bin/kubecent-backend
}

no_setuid_in_it() {
    is "$(awk '$1 ~ /^-.*s/ { print $6 }' "$work/files")" ""
}

nothing_writable_in_it() {
    is "$(awk '$1 ~ /^[-d].......w/ && $6 != "tmp/" { print $6 }' "$work/files")" ""
}

has_records_for_scanners() {
    grep -q 'var/lib/dpkg/status.d/libcurl4$' "$work/files" && grep -q 'doc/libmicrohttpd12/copyright$' "$work/files"
}

look_at_image() {
    check "the image is small" fits
    check "it runs as a numeric user that is not root" is "$(inspect '{{.User}}')" 10001:10001
    check "it is stopped with SIGTERM" is "$(inspect '{{.Config.StopSignal}}')" SIGTERM
    check "its label says the version" is "$(inspect '{{index .Labels "org.opencontainers.image.version"}}')" "$VERSION"
    check "its label says the commit" is "$(inspect '{{index .Labels "org.opencontainers.image.revision"}}')" "$REVISION"
    check "its label says where the sources are" is "$(inspect '{{index .Labels "org.opencontainers.image.source"}}')" "$SOURCE"
    podman create --name "$NAME-files" "$IMAGE" >/dev/null
    podman export "$NAME-files" | tar -tv >"$work/files"
    check "the service is the only program in it: no shell, no package manager" programs_in_it
    check "no file in it is setuid or setgid" no_setuid_in_it
    check "nobody but the owner may write to its files" nothing_writable_in_it
    check "the records of its packages and their licences are in it" has_records_for_scanners
}

look_at_service() {
    local port route
    local -A routes=(
        ["/api/v1/cost/namespaces?window=7d"]='"namespaces":[{'
        ["/api/v1/cost/pods?window=7d"]='"pods":[{'
        ["/api/v1/cost/monthly?months=3"]='"months":[{'
        ["/api/v1/savings/recommendations?limit=5"]='"recommendations":[{'
        [/api/v1/health]='"opencost":"connected"'
        [/livez]=ok [/readyz]=ok [/health]=ok
        [/metrics]=kubecent_build_info
        [/api/openapi.json]='"openapi":"3.1.'
    )
    port=$(free_port)
    check "it starts, read-only and without capabilities" start demo "$port" -- --demo
    check "it becomes ready" until_ok 20 answers /readyz ok
    check "OpenCost is found" until_ok 20 answers /api/v1/health '"connected"'
    for route in "${!routes[@]}"; do
        check "$route answers" answers "$route" "${routes[$route]}"
    done
    check "it says which commit it was built from" answers /metrics "revision=\"$REVISION\""
    check "its user has no privileges to gain" is "$(status_field Uid) $(status_field CapBnd) $(status_field NoNewPrivs)" \
        "10001 0000000000000000 1"
    check "the health check of the image finds it healthy" podman healthcheck run "$NAME-demo"
    check "SIGTERM stops it with status 0" stops_with_0 demo
}

# An OpenCost that only knows /healthz, behind TLS: do libcurl, OpenSSL and the resolver find what they need?
start_tls_origin() {
    mkdir "$work/tls"
    echo ok >"$work/tls/healthz"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout "$work/tls/key.pem" -out "$work/tls/ca.pem" 2>/dev/null
    chmod 755 "$work" "$work/tls"
    chmod 644 "$work/tls/key.pem"
    (cd "$work/tls" && exec openssl s_server -quiet -accept "127.0.0.1:$1" -cert ca.pem -key key.pem -WWW) \
        >/dev/null 2>&1 </dev/null &
    tls_pid=$!
}

log_has() {
    local log
    log=$(podman logs "$NAME-$1" 2>&1)
    [[ $log == *$2* ]] || { tail -n 5 <<<"$log"; return 1; }
}

look_at_tls() {
    local origin port
    origin=$(free_port)
    start_tls_origin "$origin"
    port=$(free_port)
    check "it starts with an https origin" start stranger "$port" -e "OPENCOST_URL=https://localhost:$origin" \
        -e REFRESH_WINDOWS= --
    check "an unknown authority is not trusted" until_ok 20 log_has stranger certificate
    check "and the origin counts as disconnected" answers /api/v1/health '"disconnected"'
    check "SIGTERM stops it with status 0, too" stops_with_0 stranger
    port=$(free_port)
    check "it starts with a CA file" start friend "$port" -e "OPENCOST_URL=https://localhost:$origin" \
        -e REFRESH_WINDOWS= -e OPENCOST_CA_FILE=/ca.pem -v "$work/tls/ca.pem:/ca.pem:ro" --
    check "and trusts that authority" until_ok 20 answers /api/v1/health '"connected"'
    port=$(free_port)
    check "it starts with a certificate of its own" start https "$port" -e TLS_CERT_FILE=/tls/ca.pem \
        -e TLS_KEY_FILE=/tls/key.pem -v "$work/tls:/tls:ro" -- --demo
    scheme=https authority=$work/tls/ca.pem
    check "and serves HTTPS" until_ok 20 answers /api/v1/health '"connected"'
    check "which the health check of the image speaks too" podman healthcheck run "$NAME-https"
}

# What the chart renders, as kubectl would get it: podman plays the node. On the loopback only, with the demo's data.
play_manifest() {
    sed -e "s/8000/$1/g" -e 's|http://opencost\.opencost:9003|demo|' -e "s|\"kubecent-backend:[^\"]*\"|\"$IMAGE\"|" \
        -e 's/IfNotPresent/Never/' -e 's/^\( *\)containerPort: .*/&\n\1hostIP: 127.0.0.1/' \
        config/kubernetes.yaml >"$work/kubernetes.yaml"
    podman play kube "$work/kubernetes.yaml"
}

look_at_manifest() {
    local port scheme=http
    port=$(free_port)
    check "the manifest for clusters without Helm runs it" play_manifest "$port"
    check "and it answers there" until_ok 20 answers "/api/v1/cost/namespaces?window=7d" '"namespaces":[{'
}

# --- the whole -------------------------------------------------------------------------------------------------------

tidy_up() {
    local suffix
    [ -z "$tls_pid" ] || kill "$tls_pid" 2>/dev/null || true
    if [ -n "$work" ]; then
        [ ! -f "$work/kubernetes.yaml" ] || podman play kube --down "$work/kubernetes.yaml" >/dev/null 2>&1 || true
        for suffix in files demo stranger friend https; do
            podman rm -f -t 0 "$NAME-$suffix" >/dev/null 2>&1 || true
        done
        $keep || podman rmi "$IMAGE" >/dev/null 2>&1 || true
        rm -rf "$work"
    fi
}

main() {
    local argument tool
    for argument in "$@"; do
        case $argument in
        --install) install=true ;;
        --keep) keep=true ;;
        *)
            echo "usage: $0 [--install] [--keep]" >&2
            exit 2
            ;;
        esac
    done
    [ "$(id -u)" -eq 0 ] || skip "containers are built and run as root here"
    [ "$install" != true ] || install_tools
    for tool in "${TOOLS[@]}"; do
        command -v "$tool" >/dev/null || skip "$tool is missing; --install gets it"
    done

    trap tidy_up EXIT
    work=$(mktemp -d)
    configure_podman
    check "a base image is there" make_base
    [ "$failed" -gt 0 ] || can_run_containers || skip "no container runs here: $(tail -n 1 "$work/probe.log")"
    check "the image builds" build
    if [ "$failed" -eq 0 ]; then
        look_at_image
        cat "$work/size"
        look_at_service
        look_at_tls
        look_at_manifest
    fi
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}

main "$@"
