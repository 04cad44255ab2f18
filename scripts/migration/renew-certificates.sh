#!/bin/sh
# New certificates for every server of the compose stack, while it serves: each reads its own again
# at SIGHUP, and connections that stand are kept. Redis, which only wakes, is restarted.
set -eu
cd "$(dirname "$0")/../.."
COMPOSE_FILE=${COMPOSE_FILE:-docker-compose.migrations.yml}
export COMPOSE_FILE
docker compose run --rm --no-deps -T prepare bluegreen certs "${1:-renew}"
running=$(docker compose ps --services)
for service in postgres-blue postgres-green postgres-control postgres-scratch pooler migration-proxy; do
  ! echo "$running" | grep -qx "$service" || docker compose kill --signal HUP "$service"
done
# What reads its certificate only when it starts, and is in nobody's way.
for service in redis health-monitor prometheus grafana; do
  ! echo "$running" | grep -qx "$service" || docker compose restart "$service"
done
