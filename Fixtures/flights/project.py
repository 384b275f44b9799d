"""Read rtinfer.json for the scripts beside it.

The file is JSON that may also have comments, names without quotes and a comma after the last member. The reader
turns it into strict JSON, word by word, so that Python's own parser does the rest.
"""
import json
import re

WORD = re.compile(r"""
    (?P<skip>   \s+ | //[^\n]* | /\*.*?\*/ )
  | (?P<string> "(?:[^"\\\n]|\\.)*" )
  | (?P<number> -?\d[\d.eE+-]* )
  | (?P<name>   [A-Za-z_]\w* )
  | (?P<mark>   [{}\[\],:] )
""", re.VERBOSE | re.DOTALL)


def parse(text):
    words, at = [], 0
    while at < len(text):
        match = WORD.match(text, at)
        if not match:
            line = text.count("\n", 0, at) + 1
            raise ValueError(f"line {line}: cannot read {text[at:at + 20]!r}")
        at, kind, word = match.end(), match.lastgroup, match.group()
        if kind == "skip":
            continue
        if kind == "name" and word not in ("true", "false", "null"):
            word = f'"{word}"'
        if word in ("}", "]") and words and words[-1] == ",":
            words.pop()
        words.append(word)
    return json.loads(" ".join(words))


def read(path):
    with open(path, encoding="utf-8") as file:
        return parse(file.read())


def column(name):
    """The column of a training set for a feature or model input: view:feature is spelled view__feature."""
    return re.sub(r"^(\w+):(\w+)$", r"\1__\2", name)
