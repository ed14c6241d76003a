# demo, test: all that is needed is Python 3.11 or later, a C++ compiler and make.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: demo test check core fuzz engines kill bench dist clean

demo: $(READY)
	$(BIN)/runmask detect examples/*.jpg -o demo --overwrite

test: $(READY)
	$(BIN)/pip install -q --group test
	$(BIN)/pytest

# lint, formats, types
check: $(READY)
	$(BIN)/pip install -q --group lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror csrc/*.h csrc/*.cc csrc/*/*.h csrc/*/*.cc

# the C++ core alone, under the address and undefined-behaviour sanitizers
core: $(READY)
	$(BIN)/pip install -q cmake
	$(BIN)/cmake -S . -B build/core
	$(BIN)/cmake --build build/core --parallel $(shell nproc)
	$(BIN)/ctest --test-dir build/core --output-on-failure

# the fuzz targets, under the same sanitizers, for longer than the tests do
fuzz: core
	build/core/wire_fuzz 3000000 2 tests/golden/*.json

# one render job on threads, processes, Dask and Ray, a worker killed in each: in a network namespace
# of its own, as Ray binds to whatever address the machine has
engines: $(READY)
	$(BIN)/pip install -q '.[dask,ray]' 'ray[data]'
	RUNMASK_ENGINES=1 unshare -rn sh -c 'ip link set lo up; exec $(BIN)/pytest tests/test_batch_engines.py'

# a batch of 2,000 images that is killed 150 times: nothing lost, nothing charged twice; some minutes
kill: $(READY)
	$(BIN)/python -m tests.faults.kill_batch --images 2000 --kills 150

bench: $(READY)
	$(BIN)/pip install -q --group test --group bench
	mkdir -p build
	$(BIN)/pytest benchmarks -q -W default -o python_files='bench_*.py' --benchmark-disable-gc --benchmark-json=build/bench.json >build/bench.log
	$(BIN)/python benchmarks/report.py build/bench.json

# the source archive, the stable-ABI wheel made from it, and a look at whether it is one
dist: $(READY)
	$(BIN)/pip install -q build abi3audit
	rm -rf dist
	$(BIN)/python -m build -q
	$(BIN)/abi3audit --strict dist/*.whl

clean:
	rm -rf .venv build dist demo

$(READY): pyproject.toml CMakeLists.txt $(shell find csrc src -type f -not -name '*.pyc')
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("needs Python 3.11 or later: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	@echo "Installing into .venv: about a minute"
	$(BIN)/pip install -q --upgrade pip
	$(BIN)/pip install -q '.[all]'
	touch $@
