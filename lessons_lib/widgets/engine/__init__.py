"""The engine of the page, in JavaScript and WebAssembly: a file an idea. `_common.engine_text` joins them."""
