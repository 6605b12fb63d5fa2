# A gateway as an image:  docker build -t spillway .
#
# The root may be read-only: only /data and /tmp are written to. With `store: redis://…` nothing in /data is needed but the admin key,
# and not even that where SPILLWAY_ADMIN_TOKEN_FILE names one.

FROM node:24-bookworm-slim AS build
WORKDIR /spillway
COPY package.json package-lock.json ./
COPY bench/package.json bench/
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.base.json ./
COPY scripts scripts
COPY web web
COPY src src
COPY docs/handbook docs/handbook
RUN npm run build
# What the gateway needs at run time, and nothing of what builds or tests it.
RUN npm pkg delete workspaces && npm prune --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    SPILLWAY_DATA=/data \
    SPILLWAY_ADMIN_LISTEN=127.0.0.1:8788 \
    SPILLWAY_LOGGING_FORMAT=json
WORKDIR /spillway
COPY --from=build /spillway/package.json ./
COPY --from=build /spillway/node_modules node_modules
COPY --from=build /spillway/dist dist
COPY --from=build /spillway/docs/handbook docs/handbook
RUN mkdir /data && chown 65532:65532 /data
VOLUME /data
USER 65532:65532
EXPOSE 8787 8788
# Clients move away, then answers under way may end: give it shutdown.timeoutMs (60 s) and 15 s.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["node", "/spillway/dist/cli/main.js", "check", "node"]
ENTRYPOINT ["node", "/spillway/dist/cli/main.js"]
CMD ["serve"]
