# The machine of somebody who has just cloned the repository: Debian, Node and npm, an ordinary user, and a home whose path
# has spaces and non-ASCII letters. .ci/bare-machine builds and runs it.
ARG NODE_IMAGE
FROM ${NODE_IMAGE}
# The base image has these for the main Dockerfile.
RUN rm -f /usr/bin/curl /usr/bin/patchelf
RUN arch=$(node -p process.arch) \
 && npm install --prefix /opt/20 "node-linux-$arch@20.19.4" \
 && npm install --prefix /opt/22 "node-linux-$arch@22.19.0" \
 && mkdir /opt/bin && ln -s "/opt/20/node_modules/node-linux-$arch/bin/node" /opt/bin/node20 \
 && ln -s "/opt/22/node_modules/node-linux-$arch/bin/node" /opt/bin/node22 \
 && mv /usr/local/bin/node /opt/bin/node24 && ln -s /opt/bin/node20 /usr/local/bin/node \
 && useradd --no-create-home --home-dir '/home/Jörg Müller' user && install -d -o user -g user -m 700 '/home/Jörg Müller'
USER user
ENV HOME='/home/Jörg Müller'
