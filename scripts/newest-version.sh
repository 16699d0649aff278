#!/usr/bin/env bash
# Prints the repository's newest version tag (v1.2.3), of one major version if given.
# usage: newest-version.sh [MAJOR], such as v1
set -euo pipefail

git tag --list "${1:-v*}.*" | sed -nE '/^v[0-9]+\.[0-9]+\.[0-9]+$/p' | sort --version-sort | tail -n 1
