"""Text for the works that read some, found on the machine: documentation, licences, headers."""

import os

ROOTS = [
    "/usr/share/common-licenses",
    "/usr/share/doc",
    "/usr/share/perl",
    "/usr/share/perl5",
    "/usr/lib/python3",
    "/usr/include",
]
MB = 1000000


def is_text(head):
    return b"\0" not in head


def files_below(root):
    """Regular files, in an order that does not change from run to run."""
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def make(path, limit_bytes):
    """Write one file with up to limit_bytes of text. Returns a description of it."""
    total = 0
    count = 0
    used = []
    with open(path, "wb") as out:
        for root in ROOTS:
            before = count
            for name in files_below(root):
                if total >= limit_bytes:
                    break
                try:
                    with open(name, "rb") as file:
                        text = file.read(limit_bytes - total)
                except OSError:
                    continue
                if not text or not is_text(text[:4096]):
                    continue
                out.write(text)
                total += len(text)
                count += 1
            if count > before:
                used.append(root)
    said = f"{total / MB:.1f} MB from {count} files in {', '.join(used)}"
    if total < limit_bytes:
        said += f" (all that was found; {limit_bytes / MB:.0f} MB were wanted)"
    return said
