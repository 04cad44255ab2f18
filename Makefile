# Everything a person or CI calls. `make help` lists it.
.DEFAULT_GOAL := help
BIN := .venv/bin

.PHONY: soak-monitor bench-failover bench-alerts validator-cases bench-validate rule-pages new-rule bench-backup bench-cutover bench-finish soak-cutover
.PHONY: help install check test test-full docs faults corpus corpus-full e2e demo format bench-sync

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | sort

install: .venv/.installed  ## make .venv with everything from the lock file

.venv/.installed: pyproject.toml uv.lock scripts/make-venv.sh
	scripts/make-venv.sh
	@touch $@

check: install  ## what a commit needs: format, lint, types, arrows, unit tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell producer shared workers tests docs README.md CONTRIBUTING.md SECURITY.md
	$(BIN)/pytest -q tests/unit

# The CI size: every part once on real servers, within the budget. `test-full` runs all of them.
CI_TESTS := $(addprefix tests/integration/test_,$(addsuffix .py,\
  cluster standing pgbouncer migration_file validate_step saga_control_store saga_shell \
  cli_bad_input cli_bad_options cli_streams compare_rows compare_multisets check_statements trace rules_on_servers validator_bounds \
  cutover_step cutover_switch cutover_applications cutover_statements cutover_direct_door cutover_carried emptied_partitions emptied_on_a_service split_on_a_service many_to_one \
  agent_grants docker_driver stream_keeper stream_unread_log resync kept_wal refused_logins replicator_short_pause redis_sentinel poolers cli_proxy mapping_rehearsal \
  control_roles retention log_files preflight_refusals preflight_sessions preflight_servers lost_standby calm_stop copy_rights beside_an_existing_server \
  backup_steps backup_points backup_encryption backup_daily health_steps after_safe companion \
  health_monitor health_figures health_limits health_replication monitoring_files doctor_outside cli_alerts))

test: check validator-cases  ## unit tests, the validator's cases, and the CI size of the tests on real servers
	$(BIN)/pytest -q $(CI_TESTS) --durations=10
	$(BIN)/pytest -q tests/integration/test_main_job.py -k 15
	$(BIN)/pytest -q tests/integration/test_remote_job.py -k "18-plain and forward"
	$(BIN)/pytest -q tests/integration/test_maintenance.py -k 18
	$(BIN)/pytest -q tests/integration/test_batches.py
	$(BIN)/pytest -q tests/integration/test_failover.py -k in_ten_seconds

test-full: check  ## every test on real servers, each PostgreSQL version: more than an hour
	$(BIN)/pytest -q tests/integration --durations=15

faults: install  ## kill and freeze agents and servers in mid-job, and the pause at each of its points
	$(BIN)/pytest -q tests/faults -m 'not slow'

bench-cutover: install  ## ours beside three usual designs: build/bench/cutover.json and .png; ARGS=
	VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv sync --quiet --frozen --inexact --group bench
	$(BIN)/python -m benchmarks.cutover $(ARGS)

bench-finish: install  ## what the end of a rollback window costs an application; ROUNDS= (10)
	$(BIN)/python -m benchmarks.finish $(or $(ROUNDS),10)

soak-cutover: install  ## SWITCHES= (1,000) in a row under load: nothing fails, nothing is lost
	$(BIN)/pytest -q tests/faults -m slow
	$(BIN)/python -m benchmarks.cutover.soak $(SWITCHES)

e2e: install  ## the compose stack in containers, and Flower in a browser; starts an engine if none answers
	$(BIN)/pytest -q tests/e2e --durations=10 -p no:randomly

corpus: install  ## many files on 15, 16 and 18: forward, back, forward again, beside a plain run
	$(BIN)/python -m tests.corpus --seeds 20

corpus-full: install  ## every case in a job of its own, 17 too; ARGS=--resume plays what never passed
	$(BIN)/python -m tests.corpus --alone --versions 17,18,15,16 --seeds 200 --at-once 4 $(ARGS)

bench-sync: install  ## apply with our triggers over without, comparison over a plain hash
	$(BIN)/python -m benchmarks.sync

demo: install  ## a shop under load, migrated, taken back, migrated again; ROWS= sets its size
	$(BIN)/bluegreen demo

bench-backup: install  ## a rollback point against pg_dump to a file
	$(BIN)/python -m benchmarks.backup

format: install  ## bring the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

soak-monitor: install  ## half an hour under load: 0 alerts raised for nothing; MINUTES= sets its length
	$(BIN)/python -m benchmarks.monitor soak --minutes $(or $(MINUTES),30)

bench-failover: install  ## a dead active server, policy auto: until somebody can write, and what is lost
	$(BIN)/python -m benchmarks.failover

bench-alerts: install  ## from a fault to its alert, and from its end to the alert's end
	$(BIN)/python -m benchmarks.alert_times

validator-cases: install  ## agreement of the validator with the measured cases, per fact
	$(BIN)/python -m tests.support.validator_agreement

bench-validate: install  ## the validator beside squawk, on one file of 2,000 statements
	$(BIN)/python -m benchmarks.validate

fuzz-validator: install  ## coverage-guided fuzzing of the validator; SECONDS= (60)
	$(BIN)/uv pip install --quiet --target build/fuzz/atheris 'atheris>=3,<4'
	PYTHONPATH=build/fuzz/atheris:. $(BIN)/python -m tests.fuzz.validator \
	  -max_total_time=$(or $(SECONDS),60) -max_len=4000 -rss_limit_mb=3000

rule-pages: install  ## write docs/rules from the rules
	$(BIN)/python -m scripts.write_rule_pages

new-rule: install  ## a new rule: make new-rule NAME=my-rule
	$(BIN)/python -m scripts.new_rule $(NAME)
