# Sourced by the scripts beside it: `bluegreen_here WORDS...` is the command line of this checkout
# where an embedded stack or settings are named, else the one inside the running compose stack, in
# the container that may do it. Files among the words are carried into it; a path inside the stack
# (/migrations/...) stays.

root=$(cd "$(dirname "$0")/../.." && pwd)
COMPOSE_FILE=${COMPOSE_FILE:-$root/docker-compose.migrations.yml}
export COMPOSE_FILE

in_stack() { docker compose exec -T "$@"; }

# Which service holds the secrets that a command needs.
service_for() {
  case $1 in
    health | baseline) echo health-monitor ;;
    proxy) echo migration-proxy ;;
    backups) echo backup ;;
    *) echo migration-controller ;;
  esac
}

stack_runs() {
  command -v docker >/dev/null 2>&1 &&
    [ -n "$(docker compose ps --quiet --status running migration-controller 2>/dev/null)" ]
}

bluegreen_here() {
  if [ -n "${BLUEGREEN_STATE_DIR:-}${BLUEGREEN_CONFIG:-}" ] || [ -d .bluegreen ] || ! stack_runs; then
    PATH="$root/.venv/bin:$PATH" exec bluegreen "$@"
  fi
  place=/tmp/carried-$$ service=$(service_for "$1")
  for word; do
    shift
    if [ -f "$word" ]; then
      folder=$(cd "$(dirname "$word")" && pwd) name=$(basename "$word")
      tar -C "$folder" -chf - "$name" |
        in_stack "$service" sh -c "mkdir -p '$place$folder' && tar -C '$place$folder' -xf -"
      word=$place$folder/$name
    fi
    set -- "$@" "$word"
  done
  if [ -t 0 ] && [ -t 1 ]; then exec docker compose exec "$service" bluegreen "$@"; fi
  exec docker compose exec -T "$service" bluegreen "$@"
}
