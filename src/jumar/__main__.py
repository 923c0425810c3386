"""`python -m jumar` is the `jumar` command."""

from jumar.ops.cli.app import main

if __name__ == "__main__":
    main()
