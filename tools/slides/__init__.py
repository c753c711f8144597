"""Slides of each lesson, from its page of the site: no second text to keep."""
