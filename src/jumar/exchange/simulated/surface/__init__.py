"""The whole surface of the simulated exchange as one page: docs/reference/surface.md."""
