"""How long the page takes and how large it is; one comparison in words and as a picture.

    python -m benchmarks.page

Processor seconds of one thread, so that the figures hold on a machine that does other things, too.
"""

from __future__ import annotations

import time

from sslgraph.diff import account
from sslgraph.drawing import as_svg
from sslgraph.overlay import compared
from sslgraph.page import page
from sslgraph.page.family import comparison
from sslgraph.pipelines.commands.texts.page import shown
from sslgraph.read import catalogue


def main() -> None:
    """Prints the figures of docs/performance.md, section Page."""
    start = time.process_time()
    methods = [shown(name, name) for name in catalogue.names("methods")]
    compiled = time.process_time()
    text = page(methods)
    drawn = time.process_time()
    print(f"{len(methods)} methods: compiled in {compiled - start:.1f} s, page in {drawn - compiled:.1f} s")
    print(f"{len(text.encode()) / 1e6:.2f} MB")
    found = {method.key: method for method in methods}
    one, other = found["byol"], found["simsiam"]
    for _ in range(3):
        start = time.process_time()
        told = account(one.method, other.method)
        said = time.process_time()
        as_svg(compared(one.paper_level, other.paper_level, comparison(one, other), told))
        end = time.process_time()
        print(f"BYOL and SimSiam: words {1e3 * (said - start):.1f} ms, picture {1e3 * (end - said):.1f} ms")


if __name__ == "__main__":
    main()
