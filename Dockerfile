# One image for Foreshock and for the sample shop.

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN make build

# The Pact verifier's library comes out of its npm package; no code of that is run.
FROM node:22-bookworm-slim AS pact
WORKDIR /src
COPY scripts/setup-pact.sh scripts/
RUN scripts/setup-pact.sh /opt/pact/lib

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates chromium-headless-shell fonts-dejavu-core iptables \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/foreshock --create-home foreshock
COPY --from=build /src/bin/ /usr/local/bin/
COPY --from=pact /opt/pact/lib/ /opt/pact/lib/
# Checks need no root. Faults do, with --cap-add NET_ADMIN --user 0:0.
USER 10001
WORKDIR /var/lib/foreshock
VOLUME /var/lib/foreshock
EXPOSE 8440
ENTRYPOINT ["foreshock"]
CMD ["serve", "-c", "/etc/foreshock/foreshock.yaml"]
