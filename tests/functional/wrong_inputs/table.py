"""All rows."""

from tests.functional.wrong_inputs import applications, commands, options, sources, starts

TABLES = {each.__name__.rpartition(".")[2]: each.ROWS for each in (sources, options, starts, applications, commands)}

ROWS = [row for rows in TABLES.values() for row in rows]
