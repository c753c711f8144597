"""The engine of the live translator, in JavaScript: a file an idea. `TranslatorWidget` joins them."""
