# `make` lists the targets.

.DEFAULT_GOAL := help
.PHONY: help lint page test crash kills hostile soak migration model recipe fuzz bench guard doc deny demo openapi ci

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 8

lint: page ## Check formatting, clippy and the dashboard; warnings are errors
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cargo clippy --manifest-path benches/floor/Cargo.toml --target-dir target/floor -- -D warnings

page: node_modules/.package-lock.json ## Check and test the dashboard's JavaScript (needs Node and npm)
	npm run --silent format
	npm run --silent lint
	npm run --silent types
	npm test --silent

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --ignore-scripts

test: ## Run all tests; those of the dashboard are skipped without Node and Chromium
	cargo test

crash: ## Kill the server hundreds of times under load; CRASH_KILLS and CRASH_SEED choose
	CRASH_KILLS=$${CRASH_KILLS:-300} \
	cargo test --test process campaign -- --nocapture

hostile: ## Attack the server and measure the delay of other clients (needs an idle machine)
	cargo test --release --test process hostile -- --ignored --nocapture

kills: ## Kill every kind of process at 500 single calls; KILLS and KILLS_SEED choose
	cargo test --test process killed:: -- --ignored --nocapture

soak: ## Run an hour under load; SOAK_MINUTES and SOAK_RATE choose
	cargo test --release --test process soak -- --ignored --nocapture

migration: ## Migrate a large database of 0.1.0, with kills; MIGRATION_ROWS chooses the size
	cargo test --release --test process migration -- --ignored --nocapture

model: ## Run 2,000 random histories of a pool and compare all responses with a model
	cargo test --test model -- --ignored --nocapture

recipe: ## Follow CONTRIBUTING's recipe for an event in a copy of the tree
	cargo test --test recipe -- --ignored

# Cases per fast target; slower targets run fewer. Not a release build, which would not detect overflow.
FUZZ_CASES ?= 20000

fuzz: ## Run the long form of tests/fuzz.rs; FUZZ_CASES chooses
	PROPTEST_CASES=$(FUZZ_CASES) cargo test --test fuzz

# All programs and databases first, so that nothing is measured while they are made; tables last.
bench: ## Run every benchmark and write the tables in docs (an hour); ROUNDS=1: a quick look
	cargo build --release
	cargo bench --no-run
	cargo bench --bench histories
	cargo bench --bench engine
	cargo bench --bench rules
	cargo bench --bench http -- $(ROUNDS)
	cargo bench --bench credits -- $(ROUNDS)
	cargo bench --bench flood -- $(ROUNDS)
	cargo bench --bench scale -- $(ROUNDS)
	cargo bench --bench streams
	cargo bench --bench sweep -- $(ROUNDS)
	cargo bench --bench webhooks
	cargo bench --bench litestream
	cargo bench --bench tables

guard: ## Compare instruction counts with benches/instructions.toml (needs valgrind)
	cargo bench --bench instructions

doc: ## Build the documentation of the code; warnings are errors
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps

deny: ## Check licences, sources and advisories of the dependencies (needs cargo-deny)
	cargo deny check --hide-inclusion-graph

demo: ## Serve sample history
	cargo run --release -- demo

openapi: ## Update docs/openapi.json and the tables of events in docs
	cargo run --quiet -- openapi > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json
	STAMPCARD_WRITE_DOCS=1 cargo test --quiet --test documents

ci: ## Run all of CI; installs missing tools with apt-get
	.ci/run
