# Two commands matter: `make demo` shows the pipeline, `make test` proves it.
PYTHON ?= python3
BIN := .venv/bin
DATA ?= sample_data/CHAOS_Train_Sets

.PHONY: demo test test-odd test-peers train-demo fuzz attack lint docs bench sample-data clean

.venv/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "chaosprep needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: .venv/ready  ## prepare the synthetic sample data, verify it, and say where to look
	$(BIN)/chaosprep prepare sample_data/CHAOS_Train_Sets -o demo --overwrite --report
	$(BIN)/chaosprep verify demo/augmented
	@echo
	@echo 'Open demo/report.html in a browser. The training set is demo/augmented:'
	@echo 'demo/augmented/train/images and demo/augmented/train/masks (PNG pairs),'
	@echo 'demo/augmented/slices.jsonl (one line per pair) and demo/augmented/datapackage.json.'

test: .venv/ready  ## every test
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

test-odd: .venv/ready  ## what starts processes and writes files, in a plain locale, without a home, as another user
	tests/odd.sh --numprocesses auto tests/attacks tests/cli tests/dataset tests/layouts tests/privacy tests/running

.venv-structures/ready:  # apart: rt-utils and med-imagetools bring another OpenCV
	$(PYTHON) -m venv .venv-structures
	.venv-structures/bin/python -m pip install --quiet --disable-pip-version-check 'rt-utils>=1.2.7' 'med-imagetools>=2.0'
	touch $@

.venv-metrics/ready:  # apart: panoptica brings many packages
	$(PYTHON) -m venv .venv-metrics
	.venv-metrics/bin/python -m pip install --quiet --disable-pip-version-check 'surface-distance' 'panoptica'
	touch $@

.venv-deidentify/ready:  # apart: deid holds pydicom back
	$(PYTHON) -m venv .venv-deidentify
	.venv-deidentify/bin/python -m pip install --quiet --disable-pip-version-check 'dicognito==0.19.0' 'deid==0.4.13'
	touch $@

# A repository of public series, the version of it that the tests know, and where in it they are.
define series
	git clone --quiet --filter=blob:none --no-checkout https://github.com/$(1) .venv-series/data/$(notdir $(1))
	git -C .venv-series/data/$(notdir $(1)) sparse-checkout set --no-cone '$(3)'
	git -C .venv-series/data/$(notdir $(1)) checkout --quiet $(2)
endef

.venv-nnunet/ready:  # apart: what benchmarks.training compares networks with
	$(PYTHON) -m venv .venv-nnunet
	.venv-nnunet/bin/python -m pip install --quiet --disable-pip-version-check 'nnunetv2>=2.5'
	touch $@

.venv-series/ready:  # apart: what volumes are compared with, and the public series that they come from
	rm -rf .venv-series
	$(PYTHON) -m venv .venv-series
	.venv-series/bin/python -m pip install --quiet --disable-pip-version-check 'dcm2niix>=1.0.20250506' 'pydicom-data>=1.0'
	$(call series,ImagingDataCommons/highdicom,49728738b395c40058f091f13a514b468dff9451,/data/test_files/)
	$(call series,QIICR/dcmqi,b6137d9ee8cf6cd6c074fe27d1af26a30b578753,/data/)
	$(call series,neurolabusc/dcm_qa,4f85d067c8b61d12cec1689f8516cc30cd583d65,/In/Orientation/)
	$(call series,neurolabusc/dcm_qa_uih,d729bdd785d37ad5f1ed479c305a76f370d8011b,/In/*/dti*/)
	touch $@

test-peers: .venv/ready .venv-metrics/ready .venv-structures/ready .venv-series/ready .venv-deidentify/ready  ## nnU-Net, MONAI, datasets, polars, duckdb, dcm2niix, dicognito and deid beside the toolkit
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,peers]'
	$(BIN)/python -m pytest -m peers

train-demo: .venv/ready  ## train a U-Net, at most ten minutes; DATA=folder for real data
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,train]'
	$(BIN)/python -m benchmarks.training --demo '$(DATA)'

# 20,000 files with bytes damaged, and 30,000 that are wrong by a grammar: most in DICOM, fewer
# where a file takes longer to make.
fuzz: .venv/ready  ## 50,000 damaged files: the oracle's pixels or one error, soon, in little memory
	CHAOSPREP_MUTATIONS=20000 $(BIN)/python -m pytest --numprocesses auto tests/formats/test_mutations.py
	CHAOSPREP_MUTATIONS=9000 $(BIN)/python -m pytest --numprocesses auto tests/attacks/test_dicom_structure.py
	CHAOSPREP_MUTATIONS=5000 $(BIN)/python -m pytest --numprocesses auto tests/attacks/test_png_grammar.py
	CHAOSPREP_MUTATIONS=2500 $(BIN)/python -m pytest --numprocesses auto tests/attacks/test_npy_grammar.py tests/attacks/test_nifti_grammar.py tests/attacks/test_volume_image_grammar.py
	CHAOSPREP_MUTATIONS=2500 $(BIN)/python -m pytest --numprocesses auto tests/attacks/test_nrrd_grammar.py tests/attacks/test_metaimage_grammar.py
	CHAOSPREP_MUTATIONS=1000 $(BIN)/python -m pytest --numprocesses auto tests/attacks/test_seg_grammar.py
	CHAOSPREP_MUTATIONS=10000 $(BIN)/python -m pytest --numprocesses auto tests/attacks/test_rtstruct_grammar.py
	CHAOSPREP_MUTATIONS=3000 $(BIN)/python -m pytest --numprocesses auto tests/layouts/headers/test_index_damaged.py tests/layouts/headers/test_dividing_orders.py

attack: .venv/ready  ## every attack at its full size: kills, races, links, full disks, hostile rows; takes an hour or two
	CHAOSPREP_ATTACKS=100 $(BIN)/python -m pytest --numprocesses auto --durations 10 tests/attacks --ignore tests/attacks/test_hostile_rows.py
	CHAOSPREP_ATTACKS=20 $(BIN)/python -m pytest --numprocesses auto --durations 10 tests/attacks/test_hostile_rows.py

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/ready  ## the pages as a site, build/site/index.html; a broken link is an error
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,docs]'
	$(BIN)/python -m tests.site

.venv-bench/ready: pyproject.toml  # apart: what ours is compared with may hold other versions back
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	touch $@

bench: .venv-bench/ready  ## every command beside other tools and bare copies, in one run
	.venv-bench/bin/python -m benchmarks $(SECTIONS)

sample-data: .venv/ready  ## make sample_data again
	rm -rf sample_data/CHAOS_Train_Sets
	$(BIN)/python -c "from pathlib import Path; from chaosprep.phantom import write_chaos; \
	write_chaos(Path('sample_data/CHAOS_Train_Sets'))"

clean:
	rm -rf .venv .venv-bench .venv-metrics .venv-structures .venv-series .venv-deidentify .venv-nnunet demo build dist
