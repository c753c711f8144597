"""How fast the library is on this machine: `make bench`."""
