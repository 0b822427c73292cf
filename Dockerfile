# The image of the server, built from this checkout: docker build -t ternion . (docs/container.md).
#
# The first stage runs on the machine that builds and makes the servers of all platforms. The last stage only copies
# files, so an image for another processor is made without emulation.

FROM --platform=$BUILDPLATFORM docker.io/library/node:24.21.0-trixie-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
# Docker calls the processor amd64 that Node calls x64.
RUN node esbuild.config.mjs container-x64 container-arm64 \
  && mv dist/container-x64 dist/container-amd64 \
  && cp LICENSE dist/container-amd64/ && cp LICENSE dist/container-arm64/ \
  && chmod -R a+rX dist
USER 1000:1000

# The platform is the default, but buildah would take that of the first stage.
# hadolint ignore=DL3065
FROM --platform=$TARGETPLATFORM docker.io/library/node:24.21.0-trixie-slim AS node

FROM gcr.io/distroless/cc-debian13:nonroot
ARG TARGETARCH
COPY --from=node /usr/local/LICENSE /usr/local/share/doc/node/LICENSE
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /src/dist/container-${TARGETARCH} /app
ENV NODE_ENV=production
# A number, because Kubernetes cannot see whether a name is root.
USER 65532:65532
WORKDIR /app
EXPOSE 8080
LABEL org.opencontainers.image.title="Ternion" \
  org.opencontainers.image.description="Serves ONNX models over HTTP" \
  org.opencontainers.image.licenses="MIT" \
  com.amazonaws.sagemaker.capabilities.accept-bind-to-port="true"
# There is no shell and no curl in the image.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/local/bin/node", "/app/healthcheck.mjs"]
# The option is the one of npm start: the garbage of requests is collected before it counts as old.
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=16", "/app/index.mjs"]
