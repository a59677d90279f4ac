

def answer(path):
    try:
        with open(path, "rb") as file:
            return asks(ast.parse(file.read(), path))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return {"problem": f"{type(error).__name__}: {error}"}


def answer_all():
    import sys

    with open(sys.argv[1], encoding="utf-8") as file:
        paths = json.load(file)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump([answer(path) for path in paths], file)


answer_all()
