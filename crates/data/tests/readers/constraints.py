import json
import sys

import duckdb

TYPES = "{'id': 'BIGINT', 'amount': 'DOUBLE', 'city': 'VARCHAR', 'day': 'DATE'}"

with open(sys.argv[1], encoding="utf-8") as cases:
    for line in cases:
        case = json.loads(line)
        if case["format"] == "csv":
            table = (
                f"read_csv('{case['folder']}/*/*.csv', header = true, hive_partitioning = true, "
                f"hive_types = {{'year': BIGINT}}, columns = {TYPES})"
            )
        else:
            table = f"read_json('{case['folder']}/*.ndjson', format = 'newline_delimited')"
        found = {}
        for name, query in case["queries"].items():
            ((count,),) = duckdb.sql(f"select {query} from {table}").fetchall()
            if count:
                found[name] = count
        print(json.dumps(found))
