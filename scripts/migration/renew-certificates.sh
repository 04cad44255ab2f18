#!/bin/sh
# New certificates for every server of the compose stack, while it serves: each reads its own again
# at SIGHUP, and connections that stand are kept. Redis, which only wakes, is restarted.
set -eu
cd "$(dirname "$0")/../.."
COMPOSE_FILE=${COMPOSE_FILE:-docker-compose.migrations.yml}
export COMPOSE_FILE
docker compose run --rm --no-deps -T prepare bluegreen certs "${1:-renew}"
docker compose kill --signal HUP postgres-blue postgres-green postgres-control pooler migration-proxy
docker compose restart redis
