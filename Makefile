# make demo: set up, train, freeze, simulate, build a bitstream.
# make test: set up, run the linters and every test.
# Each works on a fresh clone; a second run finds .venv ready.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint clean

demo: $(STAMP)
	$(BIN)/python -m model.train digits --force
	$(BIN)/python -m model.evaluate runs/digits
	$(BIN)/python -m sim.run runs/digits --level rtl --vectors 300
	$(BIN)/python -m hw.build runs/digits --board icebreaker
	$(BIN)/python -m sim.run runs/digits --level netlist --vectors 200
	@echo "Look at build/digits-icebreaker/report.html"

test: $(STAMP) lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt '.[test]'
	touch $@

clean:
	rm -rf $(VENV) build runs
