#!/usr/bin/env bash
# Builds a stand-in for the Dockerfile's base image (NODE_IMAGE), for machines that cannot reach an image registry: Debian
# from debootstrap, the Node binary of the `node` package in node_modules, and this machine's version of npm.
# Everything specific to the machine (apt mirror, npm registry, certificate authorities) is read from the machine.
#
# Needs root, Docker, debootstrap and `npm ci`. Prints the image's name to stdout and its progress to stderr.
# usage: scripts/local-base-image.sh [IMAGE]     (default: pagerduty-alert-base:local)
set -euo pipefail

image=${1:-pagerduty-alert-base:local}
root=$(cd "$(dirname "$0")/.." && pwd)
node=$root/node_modules/node/bin/node
ca_bundle=/etc/ssl/certs/ca-certificates.crt

say() { printf '%s\n' "local-base-image: $*" >&2; }
fail() { say "$*"; exit 1; }

[ "$(id -u)" -eq 0 ] || fail 'debootstrap needs root'
command -v debootstrap >/dev/null || fail 'debootstrap is not installed (apt-get install debootstrap)'
[ -x "$node" ] || fail "no $node: run npm ci first"
docker version >/dev/null 2>&1 || fail 'no Docker daemon answers'

# This machine's release, from the mirror that apt uses: the only combination known to be reachable.
# shellcheck source=/dev/null
suite=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
# shellcheck disable=SC2016 # apt-get fills these in, not the shell
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Identifier: Packages' |
  awk -v suite="$suite" '$2 == suite && $3 == "main" { print $1; exit }')
[ -n "$mirror" ] || fail "apt knows no mirror for '$suite': is this Debian, and has apt-get update run?"
npm_version=$(npm --version 2>/dev/null)
registry=$(npm config get registry 2>/dev/null)

inputs=$({
  printf '%s\n' "$suite" "$mirror" "$npm_version" "$registry"
  cat "$0" "$node" "$ca_bundle"
} | sha256sum | cut -d ' ' -f 1)
if [ "$(docker image inspect --format '{{ index .Config.Labels "inputs" }}' "$image" 2>/dev/null)" = "$inputs" ]; then
  say "$image is there already, made from the same inputs"
  printf '%s\n' "$image"
  exit
fi

work=$(mktemp -d /var/tmp/local-base-image.XXXXXX)
trap 'rm -rf "$work"' EXIT
base=$work/base

# The Dockerfile would otherwise install binutils, patchelf and curl; this way the build needs no apt mirror.
say "debootstrap $suite"
debootstrap --variant=minbase --include=binutils,ca-certificates,curl,patchelf "$suite" "$base" "$mirror" >"$work/log" 2>&1 ||
  { tail -n 20 "$work/log" >&2; fail 'debootstrap failed'; }
rm -rf "$base"/var/cache/apt/archives/*.deb "$base"/var/lib/apt/lists/*

say "Node $("$node" --version), npm $npm_version"
install -D "$node" "$base/usr/local/bin/node"
(cd "$work" && npm pack --silent "npm@$npm_version" >/dev/null)
mkdir -p "$base/usr/local/lib/node_modules/npm" "$base/usr/local/etc"
tar -xzf "$work"/npm-*.tgz -C "$base/usr/local/lib/node_modules/npm" --strip-components=1 --no-same-owner
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$base/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$base/usr/local/bin/npx"
chmod 755 "$base"/usr/local/lib/node_modules/npm/bin/*-cli.js
printf 'registry=%s\nupdate-notifier=false\n' "$registry" >"$base/usr/local/etc/npmrc"
cp "$ca_bundle" "$base/etc/ssl/certs/ca-certificates.crt"

say "docker import $image"
tar -C "$base" --numeric-owner -c . | docker import \
  --change "ENV NODE_EXTRA_CA_CERTS=$ca_bundle" \
  --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  --change 'CMD ["node"]' \
  --change "LABEL inputs=$inputs" \
  - "$image" >/dev/null
printf '%s\n' "$image"
