"""Shared by the check-* scripts: C source taken apart into code and comments."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

_PART = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)
      | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""",
    re.DOTALL | re.VERBOSE,
)


def _blank(text):
    """The same lines with nothing on them."""
    return re.sub(r"[^\n]", " ", text)


def split(text, keep_strings=False):
    """Return (code, comments): both have the lines and columns of text, each with blanks
    where the other has something. Strings are in neither, unless kept in the code."""
    code, comments, at = [], [], 0
    for part in _PART.finditer(text):
        code.append(text[at:part.start()])
        comments.append(_blank(text[at:part.start()]))
        word = part.group()
        is_comment = part.lastgroup == "comment"
        code.append(word if not is_comment and keep_strings else _blank(word))
        comments.append(word if is_comment else _blank(word))
        at = part.end()
    code.append(text[at:])
    comments.append(_blank(text[at:]))
    return "".join(code), "".join(comments)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def find(root, folders, suffixes):
    """Paths, relative to root and sorted, of the files below the folders."""
    found = []
    for folder in folders:
        for path, _, names in os.walk(os.path.join(root, folder)):
            found += [
                os.path.relpath(os.path.join(path, name), root)
                for name in names
                if name.endswith(suffixes)
            ]
    return sorted(found)


def write_tree(root, files):
    """Make the files {path: text} below root, for a self-test."""
    for path, text in files.items():
        path = os.path.join(root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def report(problems):
    """Print the problems; the exit status."""
    count = 0
    for count, problem in enumerate(problems, 1):
        print(problem)
    return 1 if count else 0


def main(check, self_test):
    """Run the check on the project, or the self-test."""
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        print("self-test passed")
        return 0
    if sys.argv[1:]:
        print(f"usage: {sys.argv[0]} [--self-test]", file=sys.stderr)
        return 2
    return report(check(ROOT))


def expect(check, files, *expected):
    """The check of a tree of these files finds one problem for each of the expected
    substrings, in order, and no more."""
    import tempfile

    with tempfile.TemporaryDirectory() as root:
        write_tree(root, files)
        problems = list(check(root))
    if len(problems) != len(expected) or any(
        part not in problem for part, problem in zip(expected, problems)
    ):
        sys.exit(f"self-test failed: expected {list(expected)}, got {problems}")
