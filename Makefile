# The commands of this project. `make demo` and `make test` need nothing but the tools that
# `make tools` names; everything else they fetch or build themselves.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PLATFORM := linux-x86_64
NATIVE := target/native/$(PLATFORM)
VENV := .venv
PYTHON ?= python3
MVN := mvn --batch-mode --no-transfer-progress -f jvm/pom.xml
ONEDNN := org.bytedeco:dnnl:3.11-1.5.13:jar:$(PLATFORM)
ONEDNN_SHA256 := a8948803c5718bac623b664be77fb47e24328e8693997e96e02c4308b0ee826f

SPARK_JAR := jvm/spark/target/firesteel-spark_2.13.jar
EXAMPLES_JAR := spark-examples/target/firesteel-examples_2.13.jar
INFERENCE_JAR := jvm/inference/target/firesteel-inference.jar
RUST := $(shell find native -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock build.rs
JVM := $(shell find jvm spark-examples -path '*/target' -prune -o \
  \( -name '*.java' -o -name '*.scala' -o -name pom.xml -o -name '*.properties' \) -print)

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1|/' | \
	  awk -F'|' '{printf "make %-8s %s\n", $$1, $$2}'

.PHONY: demo
demo: jars venv ## train LeNet-5 on Spark, evaluate, save, reload in plain Java
	@PYTHON=$(VENV)/bin/python spark-examples/demo.sh

.PHONY: test
test: jars venv ## all tests: cargo, Maven, Python, end to end
	FIRESTEEL_ONEDNN=$(CURDIR)/$(NATIVE)/libdnnl.so.3 cargo test --release --workspace
	$(MVN) --quiet verify
	$(VENV)/bin/python -m pytest -q tests

.PHONY: check
check: lint test ## format check, lint, all tests: what CI and reviewers expect

.PHONY: lint
lint: tools
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets -- --deny warnings
	$(MVN) --quiet spotless:check

.PHONY: format
format: tools ## format Rust, Java and Scala
	cargo fmt --all
	$(MVN) --quiet spotless:apply

.PHONY: bench
bench: native ## criterion benches of the ops and of a whole iteration
	FIRESTEEL_ONEDNN=$(CURDIR)/$(NATIVE)/libdnnl.so.3 cargo bench --locked --package firesteel

.PHONY: perf
perf: jars venv ## the figures of docs/performance.md, one JSON line each
	@$(VENV)/bin/python tests/perf.py

PEERS := target/peers
.PHONY: peers
peers: native ## inference beside ONNX Runtime and OpenVINO, in turns (docs/performance.md)
	@test -e $(PEERS)/ready || { $(PYTHON) -m venv $(PEERS) && $(PEERS)/bin/pip install --quiet \
	  --disable-pip-version-check -r tests/peers/requirements.txt && touch $(PEERS)/ready; }
	@$(PEERS)/bin/python tests/peers/inference.py

.PHONY: cluster
cluster: jars venv ## 30 seeds of trainings disturbed at random; figures in target/cluster.json
	FIRESTEEL_SEEDS=30 $(VENV)/bin/python -m pytest -q tests/cluster

.PHONY: scaling
scaling: jars venv ## what the scaling model is made of, one JSON line each (docs/scaling.md)
	@$(VENV)/bin/python tests/scaling/measure.py

FUZZ = cargo +nightly fuzz run --fuzz-dir native/fuzz --target-dir target/fuzz
FUZZ_LIMITS = -max_total_time=600 -rss_limit_mb=2048 -timeout=25 -max_len=16384

.PHONY: fuzz
fuzz: ## fuzz the readers of files for ten minutes each; needs nightly Rust and cargo-fuzz
	mkdir -p target/fuzz/onnx target/fuzz/model_file
	$(FUZZ) onnx target/fuzz/onnx native/import/tests $(wildcard target/onnx/node) -- $(FUZZ_LIMITS)
	$(FUZZ) model_file target/fuzz/model_file native/fuzz/seeds -- $(FUZZ_LIMITS)

.PHONY: native
native: $(NATIVE)/libfiresteel.so ## the native libraries and the command-line tool

.PHONY: jars
jars: $(SPARK_JAR) ## the jars for spark-submit and for plain Java

.PHONY: venv
venv: $(VENV)/ready

.PHONY: clean
clean: ## remove everything that was built
	rm -rf target $(VENV) jvm/*/target spark-examples/target

.PHONY: tools
tools:
	@tests/tools.sh

$(NATIVE)/libdnnl.so.3: | tools
	mkdir -p $(NATIVE)
	$(MVN) --quiet org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
	  -Dartifact=$(ONEDNN) -DoutputDirectory=$(CURDIR)/target/onednn -N
	cd target/onednn && jar xf dnnl-*-$(PLATFORM).jar org/bytedeco/dnnl/$(PLATFORM)
	echo "$(ONEDNN_SHA256)  target/onednn/org/bytedeco/dnnl/$(PLATFORM)/libdnnl.so.3" | sha256sum --check --quiet
	mv target/onednn/org/bytedeco/dnnl/$(PLATFORM)/libgomp.so.1 $(NATIVE)/
	mv target/onednn/org/bytedeco/dnnl/$(PLATFORM)/libdnnl.so.3 $@
	rm -rf target/onednn
	touch $@

$(NATIVE)/libfiresteel.so: $(RUST) $(NATIVE)/libdnnl.so.3 | tools
	cargo build --release --locked --package firesteel --package cli
	cp target/release/libfiresteel.so $@.new
	mv $@.new $@

$(SPARK_JAR): $(JVM) $(NATIVE)/libfiresteel.so | tools
	$(MVN) --quiet package -DskipTests
	touch $@ $(EXAMPLES_JAR) $(INFERENCE_JAR)

$(VENV)/ready: tests/requirements.txt | tools
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@
