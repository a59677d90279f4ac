import json
import sys

import duckdb
import pandas
import pyarrow
import pyarrow.csv

WORDS = {
    "int64": "int64", "float64": "float64", "bool": "boolean", "object": "text",
    "double": "float64", "string": "text", "date32[day]": "date", "null": "null",
    "BIGINT": "int64", "DOUBLE": "float64", "BOOLEAN": "boolean", "VARCHAR": "text", "DATE": "date",
    "TIMESTAMP": "timestamp", "TIMESTAMP WITH TIME ZONE": "timestamp, UTC",
}


def word(name):
    if name.startswith("timestamp["):
        return "timestamp, UTC" if "tz=" in name else "timestamp"
    return WORDS.get(name, name)


def reading(rows, types, nulls):
    return {"rows": rows, "columns": [(word(str(name)), count) for name, count in zip(types, nulls)]}


def with_pandas(path, delimiter):
    table = pandas.read_csv(path, sep=delimiter)
    # A row that is longer than the header makes an index of its first cells, and is no table then.
    if not isinstance(table.index, pandas.RangeIndex):
        raise ValueError("rows are longer than the header")
    return reading(len(table), table.dtypes, table.isna().sum())


def with_pyarrow(path, delimiter):
    options = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    table = pyarrow.csv.read_csv(path, parse_options=options)
    return reading(len(table), table.schema.types, [column.null_count for column in table.columns])


def with_duckdb(path, delimiter):
    table = duckdb.read_csv(path, header=True, sample_size=-1)
    rows = table.fetchall()
    nulls = [sum(row[at] is None for row in rows) for at in range(len(table.columns))]
    return reading(len(rows), table.types, nulls)


with open(sys.argv[1], encoding="utf-8") as paths:
    for line in paths:
        path, delimiter = line.rstrip("\n").rsplit(" ", 1)
        delimiter = {"tab": "\t"}.get(delimiter, delimiter)
        found = []
        for read in (with_pandas, with_pyarrow, with_duckdb):
            try:
                found.append(read(path, delimiter))
            except Exception as error:
                print(f"{path}: {read.__name__}: {error}", file=sys.stderr)
                found.append(None)
        print(json.dumps(found, default=int))
