# Tocsin: everything one does with this repository. `make help` lists it.

SHELL := /bin/bash
PACKAGES := librdkafka-dev libsimdjson-dev libyaml-dev libre2-dev libssl-dev
TEST_PACKAGES := kcat
TOCSIN := .build/release/tocsin
STEPS ?= 1000000
SEED ?= 0

.DEFAULT_GOAL := help
.PHONY: help install install-test build demo test long-test simulate lint format sanitize bench torture restart-test clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14

install: ## Install the C libraries Tocsin is linked with, where missing (Debian; needs root or sudo)
	@scripts/install-packages $(PACKAGES)

install-test: install
	@scripts/install-packages $(TEST_PACKAGES)

build: install ## Build the optimised program into .build/release
	swift build -c release --product tocsin

demo: build ## Watch real sanctions lists raise real alerts on an embedded broker
	$(TOCSIN) demo

test: install-test ## Run every test; those that need a Kafka start one, or are named as skipped
	@scripts/test

long-test: install-test ## What `make test` does in short at full length: 3 million events, 50 changes, a minute's stall, every broker
	TOCSIN_LONG_TESTS=1 scripts/test \
	  --filter 'aDayIsNotReadAgain|ReloadEndToEndTests|aStalledBrokerLosesAndDoublesNothing|SettlingTests'

simulate: install ## Whole runs in memory with seeded faults: make simulate STEPS=1000000 SEED=n; one of them: SHOW=n
	swift build -c release --product simulate
	.build/release/simulate $(if $(SHOW),--show $(SHOW) $(if $(WITHOUT),--without $(WITHOUT)),--steps $(STEPS) --seed $(SEED))

lint: install ## Check the layout, and build with warnings as errors
	swift format lint --strict --parallel --recursive Sources Tests Benchmarks Package.swift
	swift build --build-tests -Xswiftc -warnings-as-errors --explicit-target-dependency-import-check error

format: ## Lay the sources out
	swift format --in-place --parallel --recursive Sources Tests Benchmarks Package.swift

sanitize: install-test ## Run the tests under AddressSanitizer and ThreadSanitizer
	@scripts/sanitize

bench: install-test ## Measure the peers' job against a bare C loop: make bench KAFKA=host:port
	@scripts/bench

torture: install-test ## Kill processes and brokers, compare every alert: make torture [MINUTES=10] [SEED=n]
	@scripts/torture

restart-test: install-test ## Kill and restart a pipeline with a million keys, measure and compare
	@scripts/torture restart

clean: ## Remove what was built
	swift package clean
