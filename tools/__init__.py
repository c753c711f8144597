"""Authoring scripts, run from the root of the checkout: `python -m tools.<name>`, or through `make`."""
