# make quickstart   install into .venv, build the kernels, run the whole chain on sample photos
# make test         install what the tests need into .venv, and run them
# make lint         style, types and format of everything
# make sanitize     the C++ tests under the sanitizers of the compiler: two minutes
# make system-deps  distribution packages that a few tests need (root or sudo; asked for by CI)
# make bench        install the peers as well, and measure: an hour or two (see benchmarks/README.md)
# make clean        remove what was built and run here; .venv stays

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
SOURCES := pyproject.toml setup.py constraints.txt CMakeLists.txt $(shell find csrc -type f)
TEST_WORKERS ?= 2
PEERS := faiss,sklearn,sklearnex
ISAS := avx512,avx2
COMMA := ,
SYSTEM_PACKAGES := chromium doctest-dev fonts-dejavu-core

.PHONY: quickstart test lint sanitize system-deps bench clean

quickstart: $(VENV)/.installed
	@$(BIN)/python -m mmi_hpc.launch configs/quickstart.yaml --yes

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run -Werror $(shell find csrc -name '*.cpp' -o -name '*.h')
	$(BIN)/mypy --python-version 3.10
	$(BIN)/mypy --python-version 3.13

# Memory and undefined behaviour in all C++ tests; races in the driver, the only one with threads.
# Both see all instruction sets of the machine, AMX included. The thread sanitizer of older compilers
# cannot live with the address layout of newer kernels unless it is not randomised, where setarch
# may ask for that.
NATIVE = $(BIN)/cmake --fresh -S . -B $(1) -DMMI_TESTS=ON -DCMAKE_BUILD_TYPE=None \
  -DCMAKE_CXX_FLAGS='-O1 -g -fno-sanitize-recover=all -fsanitize=$(2)' >/dev/null && \
  $(BIN)/cmake --build $(1) --parallel $(shell nproc)
sanitize: $(VENV)/.installed-dev
	$(call NATIVE,build/sanitize-address,address$(COMMA)undefined)
	build/sanitize-address/csrc/tests/mmi_tests
	build/sanitize-address/csrc/tests/kernels_driver
	$(call NATIVE,build/sanitize-thread,thread) --target kernels_driver
	$$(setarch -R true 2>/dev/null && echo setarch -R) build/sanitize-thread/csrc/tests/kernels_driver

bench: $(VENV)/.installed-bench
	$(BIN)/python benchmarks/status.py
	$(BIN)/python -m mmi_hpc.bench topk --vs $(PEERS),torch,torch-bf16,numpy,usearch --isa $(ISAS)
	$(BIN)/python -m mmi_hpc.bench topk --vs $(PEERS),torch --data text
	$(BIN)/python -m mmi_hpc.bench kmeans --vs $(PEERS),torch-bf16 --isa $(ISAS)
	$(BIN)/python -m mmi_hpc.bench near_duplicates --vs faiss
	$(BIN)/python -m mmi_hpc.bench table benchmarks/results/*.json

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or newer is needed; call make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python $(SOURCES)
	@echo "installing into $(VENV) and building the kernels (the first time takes some minutes) ..."
	@$(PIP) --editable '.[embed,offline,samples]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PIP) --editable '.[embed,offline,samples,dev]'
	@touch $@

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	@$(PIP) --editable '.[embed,offline,samples,dev,bench]'
	@touch $@

# Services that a package brings along are not started (policy-rc.d), and nothing is upgraded.
system-deps:
	@command -v apt-get >/dev/null || \
	  { echo "no apt-get here; install by hand: $(SYSTEM_PACKAGES)"; exit 1; }
	@SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  POLICY=/usr/sbin/policy-rc.d; OURS=""; \
	  if [ ! -e $$POLICY ]; then \
	    printf '#!/bin/sh\nexit 101\n' | $$SUDO tee $$POLICY >/dev/null; $$SUDO chmod +x $$POLICY; OURS=1; \
	  fi; \
	  $$SUDO apt-get -q update && \
	  DEBIAN_FRONTEND=noninteractive $$SUDO apt-get -q install -y --no-install-recommends --no-upgrade \
	    $(SYSTEM_PACKAGES); \
	  CODE=$$?; [ -z "$$OURS" ] || $$SUDO rm -f $$POLICY; exit $$CODE

clean:
	rm -rf build runs *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -print0 | xargs -0 rm -rf
	find mmi_hpc -name '*.so' -delete
	rm -f $(VENV)/.installed $(VENV)/.installed-dev $(VENV)/.installed-bench
