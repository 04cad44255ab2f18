#!/bin/sh
# Make .venv from the lock file, on a machine that has only Python 3.11+.
# Debian and Ubuntu ship Python without ensurepip: its wheels are then unpacked privately.
set -eu
cd "$(dirname "$0")/.."

for python in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
  python=
done
[ -n "$python" ] || { echo "make install: expected Python 3.11 or newer, found none" >&2; exit 2; }

if [ ! -x .venv/bin/python ]; then
  if "$python" -c 'import ensurepip' 2>/dev/null; then
    "$python" -m venv .venv
  else
    "$python" -m venv --without-pip .venv
    unpacked=$(mktemp -d)
    ( cd "$unpacked" && apt-get download -q python3-pip-whl && dpkg -x python3-pip-whl_*.deb . )
    PYTHONPATH=$(echo "$unpacked"/usr/share/python-wheels/pip-*.whl) \
      .venv/bin/python -m pip install -q pip
    rm -rf "$unpacked"
  fi
fi
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install -q --disable-pip-version-check 'uv>=0.9'
# --inexact keeps uv itself, which the lock does not name. Compiled here, because a machine that
# sets PYTHONDONTWRITEBYTECODE would else compile everything again in each of our processes.
VIRTUAL_ENV=$PWD/.venv .venv/bin/uv sync --quiet --frozen --inexact --compile-bytecode
PYTHONDONTWRITEBYTECODE= .venv/bin/python -m compileall -q producer shared workers
