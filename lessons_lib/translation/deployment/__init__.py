"""A trained translator for programs without PyTorch: written in their formats, and checked against ours."""
