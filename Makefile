# make demo: set up, train, freeze, simulate, build a bitstream.
# make test: set up, run the linters and every test but the slow ones.
# make docs: the documentation site, in build/site. A broken link or docstring is an error.
# make release VERSION=x.y.z: a wheel, its notes and a tag; see docs/releasing.md.
# make slow: what takes too long for that: the slow tests, planted faults, a bitstream a family, all
# zoo vectors.
# Each works on a fresh clone; a second run finds .venv ready.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TYPES := build/types/bitwright

.PHONY: demo test slow lint docs release clean

demo: $(STAMP)
	$(BIN)/python -m model.train digits --force
	$(BIN)/python -m model.evaluate runs/digits
	$(BIN)/python -m sim.run runs/digits --level rtl --vectors 300
	$(BIN)/python -m hw.build runs/digits --board icebreaker
	$(BIN)/python -m sim.run runs/digits --level netlist --vectors 200
	@echo "Look at build/digits-icebreaker/report.html"

test: $(STAMP) lint
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadgroup

slow: $(STAMP)
	$(BIN)/python -m bench.slow

# mypy looks for the rooms where they are installed, not where a checkout has them.
lint: $(STAMP)
	$(BIN)/ruff check .
	@mkdir -p $(TYPES)
	@for room in answers boards data demo hw ir minimise model native sim; do ln -sfn ../../../$$room $(TYPES)/$$room; done
	@for file in bitwright/*.py; do ln -sf ../../../$$file $(TYPES)/; done
	$(BIN)/mypy

docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs build/site
	@echo "Look at build/site/index.html"

release: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[release]'
	$(BIN)/python -m bench.release $(VERSION)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

clean:
	rm -rf $(VENV) build runs
