# Few targets; `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help lint page test crash kills hostile soak migration recipe fuzz bench guard doc deny demo openapi ci

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 8

lint: page ## Formatting, clippy and what checks the page; warnings are errors
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

page: node_modules/.package-lock.json ## Formatting, linter, types and tests of the page's JavaScript (needs Node and npm)
	npm run --silent format
	npm run --silent lint
	npm run --silent types
	npm test --silent

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --ignore-scripts

test: ## Every test; those of the page need Node and Chromium, and say so if there is none
	cargo test

crash: ## Hundreds of kills under load; CRASH_KILLS and CRASH_SEED choose
	CRASH_KILLS=$${CRASH_KILLS:-300} \
	cargo test --test process campaign -- --nocapture

hostile: ## Attacks, and what an innocent client waits beside each; for a quiet machine
	cargo test --release --test process hostile -- --ignored --nocapture

kills: ## 500 kills at points of a start, restore, backup, migration, import, stop; KILLS and KILLS_SEED
	cargo test --test process killed:: -- --ignored --nocapture

soak: ## An hour under load; SOAK_MINUTES and SOAK_RATE choose
	cargo test --release --test process soak -- --ignored --nocapture

migration: ## A database of 0.1.0 brought up to date, with kills; MIGRATION_ROWS says how long
	cargo test --release --test process migration -- --ignored --nocapture

recipe: ## CONTRIBUTING's recipe of an event, followed in a copy of the tree
	cargo test --test recipe -- --ignored

# So many cases of each target that takes no time, fewer of the others. Not a release build: that one
# would not notice a sum that overflows.
FUZZ_CASES ?= 20000

fuzz: ## The long form of tests/fuzz.rs; FUZZ_CASES says how long
	PROPTEST_CASES=$(FUZZ_CASES) cargo test --test fuzz

# The databases come first, so that nothing is measured while they are made; the tables last.
bench: ## Every benchmark, and its tables into docs; half an hour. ROUNDS=1: a quick look
	cargo build --release
	cargo bench --bench histories
	cargo bench --bench engine
	cargo bench --bench http -- $(ROUNDS)
	cargo bench --bench scale -- $(ROUNDS)
	cargo bench --bench streams
	cargo bench --bench webhooks
	cargo bench --bench litestream
	cargo bench --bench tables

guard: ## What fixed workloads cost in instructions, against benches/instructions.toml (needs valgrind)
	cargo bench --bench instructions

doc: ## The code's documentation, warnings are errors
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps

deny: ## Licences, sources and known weaknesses of the dependencies (needs cargo-deny)
	cargo deny check --hide-inclusion-graph

demo: ## Serve a small believable history
	cargo run --release -- demo

openapi: ## Write docs/openapi.json and the tables of events in docs
	cargo run --quiet -- openapi > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json
	STAMPCARD_WRITE_DOCS=1 cargo test --quiet --test documents

ci: ## What CI runs; installs what is missing with apt-get
	.ci/run
