# The container image of AkiDB: one static binary, nothing else, not root.
#
#   docker build -t akidb/akidb .                            compiles inside
#   docker build -t akidb/akidb --target prebuilt .          takes build/image/akidb (make image)
#
# Base images are arguments, for places that cannot reach Docker Hub. BUILD_IMAGE
# needs Go 1.26, gcc and glibc's static libraries (golang:…-bookworm has them).
# scripts/build-base-image.sh makes one on a Debian machine.
ARG BUILD_IMAGE=golang:1.26-bookworm
ARG RUN_IMAGE=scratch

FROM ${RUN_IMAGE} AS base
ARG VERSION=2.0.0-rc2
LABEL org.opencontainers.image.title="AkiDB" \
      org.opencontainers.image.description="A vector server that speaks PostgreSQL's protocol" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
# AKIDB_CONTAINER: take POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB too.
ENV AKIDB_CONTAINER=true \
    AKIDB_DATA_DIR=/var/lib/akidb \
    AKIDB_LISTEN=0.0.0.0:5432 \
    AKIDB_HTTP_LISTEN=0.0.0.0:8080 \
    AKIDB_INIT_SCRIPTS=/docker-entrypoint-initdb.d \
    PATH=/
EXPOSE 5432 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["/akidb", "health"]
ENTRYPOINT ["/akidb"]
CMD ["serve"]

FROM base AS prebuilt
# The pattern may match nothing: builders that build every stage come by here too.
COPY --chown=10001:10001 LICENSE build/imag[e] /
USER 10001:10001
WORKDIR /var/lib/akidb
VOLUME /var/lib/akidb

FROM ${BUILD_IMAGE} AS build
ARG VERSION=2.0.0-rc2
ARG GOPROXY=
WORKDIR /src
COPY go.mod go.sum ./
RUN GOPROXY="${GOPROXY:-$(go env GOPROXY)}" go mod download
COPY . .
RUN GOPROXY="${GOPROXY:-$(go env GOPROXY)}" scripts/build-static.sh "${VERSION}" /out/akidb \
 && scripts/image-root.sh /out

FROM base AS compiled
COPY --from=build --chown=10001:10001 /out/ /
COPY --chown=10001:10001 LICENSE /
USER 10001:10001
WORKDIR /var/lib/akidb
VOLUME /var/lib/akidb
