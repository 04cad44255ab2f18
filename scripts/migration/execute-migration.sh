#!/bin/sh
# The guide's name for `bluegreen run`: the same options, the same exit codes.
PATH="$(dirname "$0")/../../.venv/bin:$PATH" exec bluegreen run "$@"
