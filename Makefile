# Every task of this project has one name here. Nothing needs to be activated.
# PYTHON=/path/to/python3.12 chooses the Python, CHROMIUM=/path/to/chromium the browser of the tests.

.DEFAULT_GOAL := help
.PHONY: install book serve pdf epub slides fork offline test check lessons exercises mutants model studies bench alone links pins clean help

environment = python=$$(PYTHON='$(PYTHON)' sh tools/find_python.sh) && "$$python" -m tools.environment
python := .venv/bin/python

book: ## Build the website into _build/html
	@$(environment) book
	@$(python) -m tools.build_book

serve: book ## Build the website and show it on http://localhost:8000
	@$(python) -m tools.serve

pdf: ## Print the whole course into _build/html/course.pdf
	@$(environment) paper
	@$(python) -m tools.chromium
	@$(python) -m tools.build_book
	@$(python) -m tools.paper pdf

epub: ## Make the whole course an ePub, _build/html/course.epub
	@$(environment) paper
	@$(python) -m tools.build_book
	@$(python) -m tools.paper epub

slides: book ## Make slides of each lesson, into _build/slides
	@$(python) -m tools.slides

offline: ## Pack a classroom for a stick: site, slides, notebooks, wheels (FOR=win_amd64 FOR_PYTHON=3.12: for others)
	@$(environment) all
	@$(python) -m tools.build_book
	@$(python) -m tools.slides
	@$(python) -m tools.offline --platform '$(FOR)' --python '$(FOR_PYTHON)'

# A process a core with one thread each is twice as fast as one process with all cores; a notebook's cells stay together.
test: ## Run every test: style, library, notebooks, website in a browser
	@$(environment) all
	@$(python) -m tools.chromium
	@$(python) -m tools.build_book
	@$(MAKE) --no-print-directory check
	OMP_NUM_THREADS=1 $(python) -m pytest -n logical --maxprocesses 8 --dist loadfile --nbval --nbval-current-env tests notebooks

install: ## Install everything into .venv
	@$(environment) all

check: ## Run the style checks only
	@$(environment) all
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m codespell_lib

lessons: ## Execute the lessons whose text changed (ALL=1: every lesson)
	@$(environment) all
	@$(python) -m tools.make_lessons $(if $(ALL),--all)

exercises: ## Generate the exercises from solutions/
	@$(environment) all
	@$(python) -m tools.make_exercises

mutants: ## Edit the solutions, and see whether the checks notice each mistake
	@$(environment) all
	@OMP_NUM_THREADS=1 $(python) -m tools.mutate

model: ## Train the small translator that the lessons look into, and look at it on the way
	@$(environment) all
	@$(python) -m tools.course_model
	@$(python) -m tools.course_growth

studies: ## Run the studies whose code changed: experiments with many seeds, too long for a lesson
	@$(environment) all
	@$(python) -m lessons_lib.studies

bench: ## Measure the library's speed on this machine
	@$(environment) all
	@$(python) -m benchmarks

alone: ## Run each lesson as on Colab: alone in an empty folder, the library from its wheel
	@$(environment) all
	@$(python) -m tools.alone

links: ## Follow every link that leads out of the site (needs the network)
	@$(environment) book
	@.venv/bin/jupyter-book build . --builder linkcheck --path-output _build/links -q

pins: ## Resolve the dependencies anew into requirements.txt
	@python=$$(PYTHON='$(PYTHON)' sh tools/find_python.sh) && "$$python" -m tools.pins

fork: ## Give the course another home: make fork ADDRESS=https://github.com/you/course (BRANCH=, NAME= too)
	@$(environment) all
	@$(python) -m tools.fork '$(ADDRESS)' $(if $(BRANCH),--branch '$(BRANCH)') $(if $(NAME),--name '$(NAME)')

clean: ## Remove what was built, and .venv
	rm -rf .venv _build build .pytest_cache .ruff_cache .hypothesis lessons_lib.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s%s\n", $$1, $$2}' $(MAKEFILE_LIST)
