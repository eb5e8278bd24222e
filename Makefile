# `make up` and `make test` need Python 3.11+, Node 20+ and git. Everything else is installed by `make install`.
.DEFAULT_GOAL := help
VENV := .venv/bin

.PHONY: help install lock up demo down lint types arrows test test-all bench abi

help:            ## what there is
	@grep -hE '^[a-z-]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install:         ## environments from the pinned locks (.venv, node_modules, .parity/ipfs-venv)
	@toolchain/install

lock:            ## pin again what pyproject.toml and the .in files ask for
	@toolchain/lock
