# Python 3.11+, Node 20+ and git must be there. Everything else is installed by `make install`, which the others call.
.DEFAULT_GOAL := help
VENV := .venv/bin

.PHONY: bench bench-all bench-api bench-economics bench-idle bench-indexer bench-learning bench-load bench-scaling bench-streaming bench-verification audit dashboard docs faults help \
	install lock up demo down lint format types arrows abi contracts sbom secrets static reference soak test test-all

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: ## environments from the pinned locks (.venv, node_modules, .parity)
	@toolchain/install

lock: ## pin again what pyproject.toml and the .in files ask for
	@toolchain/lock

dashboard: install ## the API's web page, built from api/dashboard when its sources changed

docs: install ## the documentation as a site: .parity/site/index.html
	@NO_MKDOCS_2_WARNING=1 .parity/docs-venv/bin/mkdocs build --quiet && echo .parity/site/index.html

up: install ## the whole network on this machine; answers one prompt; stays up until Ctrl-C
	@$(VENV)/parity-devnet up

demo: install ## the same, but exits after the settlement: 0 only if everything checked out
	@$(VENV)/parity-devnet up --demo

down: ## stop the network and remove all it kept
	@if [ -x $(VENV)/parity-devnet ]; then $(VENV)/parity-devnet down; else rm -rf .parity/devnet; fi

lint: install ## style of Python, Solidity and TypeScript
	@toolchain/checks "ruff check" "ruff format" "forge fmt" biome

format: install ## put Python, Solidity and TypeScript into the style
	@$(VENV)/ruff check --fix --quiet; $(VENV)/ruff format --quiet; toolchain/forge fmt; cd api/dashboard && npm run --silent format

types: install ## mypy, strict
	@toolchain/checks types

arrows: install ## imports run one way
	@toolchain/checks arrows

abi: install ## write protocol/abi from the contracts
	@toolchain/abi

contracts: install ## forge's unit, fuzz and invariant tests
	@toolchain/checks contracts

static: install ## Slither over the contracts; every finding must be answered
	@toolchain/static

reference: install ## write the generated pages of the documentation again
	@$(VENV)/python -m devnet.settings_reference; $(VENV)/python -m devnet.reference_pages; $(VENV)/python -m client.reference
	@$(VENV)/parity-server schema > docs/reference/schema.graphql; $(VENV)/parity-server routes > docs/reference/rest.md
	@$(VENV)/parity-indexer schema-docs > docs/reference/database.md
	@$(VENV)/python toolchain/shipped --write; toolchain/map --write

sbom: install ## what is shipped, as a CycloneDX document: .parity/sbom.json
	@$(VENV)/python toolchain/shipped --sbom .parity/sbom.json

secrets: install ## look for secrets in every file of the history
	@$(VENV)/python toolchain/secrets

audit: install ## ask for known weaknesses of what is locked; needs the network
	@toolchain/audit

bench: install ## the benchmarks, each beside a named peer; JSON=1 for one document a line
	@toolchain/gas

bench-api: install ## the API beside PostGraphile over a million tasks; JSON=1 for one document
	@$(VENV)/python -m benchmarks.api_bench

bench-all: install ## every benchmark, medians of three, and the table at the head of docs/benchmarks.md; BENCH="--quick"
	@$(VENV)/python -m benchmarks.everything $(BENCH)

bench-idle: install ## what runners cost that have nothing to do: calls of their node, processor; JSON=1 for one document a line
	@$(VENV)/python -m benchmarks.idle

bench-load: install ## 1,000 thin runners on one chain, full blocks, and 200 subscribers of one server; JSON=1 for one document a line
	@$(VENV)/python -m benchmarks.load

bench-scaling: install ## what a million runners need of chain, index and IPFS; writes docs/explanation/scaling.md
	@$(VENV)/python -m benchmarks.scaling --measure

bench-economics: install ## profit of cheats, lazy auditors and a ring beside honest runners; JSON=1 for one document a line
	@$(VENV)/python -m benchmarks.economics

bench-indexer: install ## the indexer beside Ponder and the bare bound; JSON=1 for one document a line
	@$(VENV)/python benchmarks/indexing

bench-learning: install ## federated learning beside a bare torch loop and Flower; JSON=1 for one document a line
	@$(VENV)/python -m benchmarks.learning

bench-streaming: install ## chats through the gateway beside the bare engine; JSON=1 for one document a line
	@$(VENV)/python -m benchmarks.streaming

bench-verification: install ## how often audits find cheats, beside comparing texts; JSON=1 for one document a line
	@$(VENV)/python -m benchmarks.verification

faults: install ## kill and cut off each process at each step of a task, and write docs/reference/faults.md; FAULTS="--minutes 10"
	@$(VENV)/python -m devnet.faults $(FAULTS)

soak: install ## rehearse a network day with cheats and crashes, and audit the ledger; SOAK="--tasks 40 --runners 6 --seed 1"
	@$(VENV)/python -m devnet.soak $(SOAK)

test: install ## lint, types, arrows, contracts, and every test that is not slow
	@toolchain/checks

test-all: install ## the slow tests, deep fuzzing, static analysis and mutants besides
	@toolchain/checks --all
