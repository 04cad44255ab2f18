#!/bin/sh
# One PostgreSQL server of the stack: made at the first start, then run as `recovery.mode` says.
#   node-entrypoint.sh primary      initdb
#   node-entrypoint.sh standby      base backup of blue, which it follows
#   node-entrypoint.sh control      initdb
#   node-entrypoint.sh scratch      initdb
set -eu
umask 077
first=$1
volume=/var/lib/postgresql/data
data=$volume/main conf=/var/lib/postgresql/conf own=/etc/bluegreen

# Whoever writes to the data directory holds this lock, deeds of the keeper included.
exec 9>"$volume/lock"
flock 9

# The plain log is the container's output; the JSON log is a file beside it, for the health-monitor.
mkdir -p "$volume/log"
chmod 755 "$volume/log"
for day in Mon Tue Wed Thu Fri Sat Sun; do
  ln -sfn /dev/stdout "$volume/log/postgresql-$day"
done

make_primary() {
  initdb -D "$data.new" -U postgres -A scram-sha-256 --pwfile "$own/secrets/postgres" \
    --data-checksums -E UTF8 --locale C.UTF-8 --no-sync >/dev/null
}

make_standby() {
  pg_basebackup -D "$data.new" -d "$(cat "$conf/first-source")" -X stream -c fast --no-sync
}

if [ ! -s "$data/PG_VERSION" ]; then
  rm -rf "$data" "$data.new"
  if [ "$first" = standby ]; then
    # `bootstrap` writes the file when blue has the role that may copy it.
    tries=0
    until [ -s "$conf/first-source" ]; do
      tries=$((tries + 1))
      [ "$tries" -lt 600 ] || { echo "expected bootstrap to be done within 60 s" >&2; exit 1; }
      sleep 0.1
    done
    make_standby
  else
    make_primary
  fi
  mv "$data.new" "$data"
fi

# Each order of the keeper is obeyed once: a promoted server has removed its signal file itself, and
# must not follow again because it was restarted.
asked=$(cat "$conf/recovery.mode" 2>/dev/null || true)
if [ -n "$asked" ] && [ "$asked" != "$(cat "$volume/obeyed" 2>/dev/null || true)" ]; then
  rm -f "$data/standby.signal" "$data/recovery.signal"
  case $asked in
    standby*) touch "$data/standby.signal" ;;
    recovery*) touch "$data/recovery.signal" ;;
  esac
  printf '%s\n' "$asked" > "$volume/obeyed"
fi
exec postgres -D "$data" -c "config_file=$conf/postgresql.conf"
