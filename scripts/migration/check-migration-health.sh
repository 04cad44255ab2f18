#!/bin/sh
# The guide's name for `bluegreen health`: exit 0 when every check holds.
PATH="$(dirname "$0")/../../.venv/bin:$PATH" exec bluegreen health "$@"
