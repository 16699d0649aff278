#!/usr/bin/env bash
# Adds the action's bundle to the tag that is checked out (`uses: …@v1.2.3`), and moves the major version's tag (v1) there,
# unless that already has a newer version. A second run changes nothing.
# usage: tag-bundle.sh TAG ARCHIVE     ARCHIVE is a .tar.gz with dist/
set -euo pipefail

tag=$1 archive=$2
root=$(cd "$(dirname "$0")" && pwd)

remote_object() { git ls-remote --refs origin "refs/tags/$1" | cut -f 1; }

# Moves a tag only if nobody else has moved it. A blank old position means that the tag does not exist yet.
move() { git push --force-with-lease="refs/tags/$1:$2" origin "HEAD:refs/tags/$1"; }

git fetch --quiet --force --tags origin
if git cat-file -e "$tag:dist/bin.js" 2>/dev/null; then
  git checkout --quiet --detach "$tag"
else
  was=$(remote_object "$tag")
  git checkout --quiet --detach "$tag"
  tar -xzf "$archive"
  git add --force dist
  git -c user.name=github-actions -c user.email=github-actions@users.noreply.github.com \
    commit --quiet --message "Bundle of $tag"
  move "$tag" "$was"
fi

major=${tag%%.*}
if [ "$("$root/newest-version.sh" "$major")" = "$tag" ]; then
  move "$major" "$(remote_object "$major")"
fi
