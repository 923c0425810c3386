"""The command line: thin commands over `bootstrap` and `ops.demo`. Begin with `app.py`."""
