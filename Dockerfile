# Two images from one file, in the plain syntax that Docker understands without BuildKit:
#
#   docker build -t pagerduty-alert .                          only Node, its libraries and the program
#   docker build -t pagerduty-alert:shell --target shell .     the program on Debian, with sh and curl
#
# The first one keeps everything that the program needs in /opt/pagerduty-alert, including the C library and its loader, so
# it also runs in any image into which you copy that directory: `COPY --from=registry.example.com/pagerduty-alert:0.1.0 /opt/pagerduty-alert /opt/pagerduty-alert`.
#
# NODE_IMAGE is any Debian-based image with Node 24 and npm under /usr/local. The digest is that of the multi-platform image:
# change tag and digest together.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6


# What Node needs to run: its binary without the symbol table and without the languages that the program does not speak, the
# libraries it is linked with, and their licences. patchelf
# makes it find its loader and libraries next to it, even in an image with musl or another glibc.
#
# A CI's NODE_OPTIONS is meant for the programs of the build. Node reads it before any of our code runs, and ends at once if
# it names a file that this image does not have. So this Node reads PD_NODE_OPTS, a name of the same length, instead;
# `run` passes NODE_OPTIONS on to its command like every other variable.
FROM ${NODE_IMAGE} AS runtime
COPY build/trim-icu.ts /build/
RUN { command -v strip && command -v patchelf; } >/dev/null || { \
      apt-get update && apt-get install -y --no-install-recommends binutils patchelf; }
RUN set -eu; \
    node=/usr/local/bin/node; \
    home=/opt/pagerduty-alert; \
    install -d -m 1777 /rootfs/tmp; \
    install -d /rootfs/usr/local/bin /rootfs/usr/share /rootfs/etc /rootfs$home/lib /rootfs$home/doc; \
    ln -s $home/lib/node /rootfs$node; \
    ln -s $home/doc /rootfs/usr/share/doc; \
    strip -o /rootfs$home/lib/node $node; \
    LC_ALL=C sed -i 's/\x00NODE_OPTIONS\x00/\x00PD_NODE_OPTS\x00/g' /rootfs$home/lib/node; \
    patchelf --set-interpreter $home/lib/$(basename $(patchelf --print-interpreter $node)) \
      --force-rpath --set-rpath $home/lib /rootfs$home/lib/node; \
    node /build/trim-icu.ts /rootfs$home/lib/node; \
    if [ -f /usr/local/LICENSE ]; then install -D -m 644 /usr/local/LICENSE /rootfs$home/doc/node/copyright; fi; \
    for library in $(ldd $node | grep -o '/[^ ]*'); do \
      install $library /rootfs$home/lib/; \
      { dpkg -S $library || dpkg -S /usr$library; } 2>/dev/null | cut -d : -f 1; \
    done | sort -u >/packages; \
    for package in $(cat /packages); do \
      install -D -m 644 /usr/share/doc/$package/copyright /rootfs$home/doc/$package/copyright; \
    done; \
    echo 'nonroot:x:65532:65532::/tmp:/sbin/nologin' >/rootfs/etc/passwd; \
    echo 'nonroot:x:65532:' >/rootfs/etc/group; \
    echo 'hosts: files dns' >/rootfs/etc/nsswitch.conf; \
    find /rootfs -exec touch --no-dereference --date=@0 {} +


# The program, and apart from it the packages in it: they stay the same in most releases, and so does their layer, because
# every file has the same date. Then only the layer of the program has to be pulled.
#
# It has an interpreter line that needs no `env` and keeps Node from opening its debugger on SIGUSR1, right from
# the start. The build needs no package's install script.
FROM runtime AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY LICENSE tsconfig.json pagerduty.sh ./
COPY build build
COPY scripts scripts
COPY src src
COPY ui ui
RUN npm run build
# V8's code cache, for this Node version on this type of processor; elsewhere the program starts without it.
RUN node build/write-code-cache.ts dist
# `npm sbom --omit dev` would also leave out packages that both the program and a development tool depend on.
RUN npm pkg delete devDependencies && npm prune --ignore-scripts --offline
RUN set -eu; \
    home=/opt/pagerduty-alert; \
    install -d /program$home/bin /program/usr/local/bin /program/usr/share/sbom; \
    cp -r LICENSE package.json dist /program$home/; \
    sed -i "1s|.*|#!$home/lib/node --disable-sigusr1|" /program$home/dist/bin.js; \
    ln -s ../dist/bin.js /program$home/bin/pagerduty-alert; \
    ln -s $home/bin/pagerduty-alert /program/usr/local/bin/pagerduty-alert; \
    dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' $(cat /packages) >packages.txt; \
    npm sbom --sbom-format cyclonedx >npm.cdx.json; \
    node build/sbom.ts npm.cdx.json packages.txt >/program/usr/share/sbom/pagerduty-alert.cdx.json; \
    install -d /dependencies$home/dist/code-cache; \
    for name in undici zod json-log postgres server-packages env-ci; do \
      mv /program$home/dist/$name.js /dependencies$home/dist/; \
      if [ -f /program$home/dist/code-cache/$name.js ]; then \
        mv /program$home/dist/code-cache/$name.js /dependencies$home/dist/code-cache/; \
      fi; \
    done; \
    mv /program$home/dist/THIRD_PARTY_LICENSES /dependencies$home/dist/; \
    find /dependencies /program -exec touch --no-dereference --date=@0 {} +


FROM ${NODE_IMAGE} AS shell
RUN command -v curl >/dev/null || { \
      apt-get update && apt-get install -y --no-install-recommends ca-certificates curl && rm -rf /var/lib/apt/lists/*; }
COPY --from=build /dependencies /
COPY --from=build /program /
RUN install -d /opt/pagerduty-alert/lib && ln -s /usr/local/bin/node /opt/pagerduty-alert/lib/node
ENV PAGERDUTY_RELAY_HOST=0.0.0.0
USER 65532:65532
ENTRYPOINT []
CMD ["pagerduty-alert", "--help"]


FROM scratch
COPY --from=runtime /rootfs /
COPY --from=build /dependencies /
COPY --from=build /program /
# A smaller young generation keeps a busy relay a quarter smaller (docs/sidecar.md).
ENV PATH=/usr/local/bin PAGERDUTY_RELAY_HOST=0.0.0.0 PD_NODE_OPTS=--max-semi-space-size=16
USER 65532:65532
# The program ignores its own name as the first argument: `pagerduty-alert success` is `success`.
ENTRYPOINT ["/usr/local/bin/pagerduty-alert"]
# A container that is only another service's dependency must not send anything.
CMD ["--help"]
ARG VERSION=0.1.0
ARG REVISION
ARG CREATED
ARG SOURCE
LABEL org.opencontainers.image.title="pagerduty-alert" \
      org.opencontainers.image.description="Tells PagerDuty what a deployment did: a small container and CLI for Codeship Pro and any CI." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}"
