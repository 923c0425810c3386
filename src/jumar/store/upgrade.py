"""Run the revisions that a database lacks, from inside the package (no command line, no working folder).

Promises that a database of a newer version, or of another program, is refused untouched. Imported only where
something is missing: a start on a current database never loads alembic (see `migrate.py`).
"""

import threading

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from jumar.model.errors import ConfigError

#: alembic's `op` and `context` are one per process: two engines that start together migrate one after the other.
_ONE_AT_A_TIME = threading.Lock()


def upgrade(connection: Connection) -> None:
    """Run the missing revisions in the connection's transaction.

    Raises:
        ConfigError: the database is not ours, or newer than this version.
    """
    config = Config()
    config.set_main_option("script_location", "jumar.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_heads()
    known = {script.revision for script in scripts.walk_revisions()}
    if not current and inspect(connection).get_table_names():
        raise ConfigError("[store] url names the database of another program: name a new one")
    if not known.issuperset(current):
        found = ", ".join(current)
        raise ConfigError(
            f"[store] url names a database of a newer version (schema {found}): upgrade Jumar"
        )
    if current != tuple(scripts.get_heads()):
        with _ONE_AT_A_TIME:
            command.upgrade(config, "head")
