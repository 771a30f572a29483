"""A cluster of several nodes on this machine's loopback, told what to do line by line: add, kill, end.

`python ray_nodes.py` starts a head with one core, and answers each line, and its own start, with one of its own. Ray's
command line starts no second node on loopback; its test harness does.
"""

from __future__ import annotations

import sys

from ray.cluster_utils import Cluster

SMALL = {"num_cpus": 1, "object_store_memory": 10**8, "node_ip_address": "127.0.0.1"}


def main() -> None:
    """Serves standard input until it ends."""
    cluster = Cluster(initialize_head=True, head_node_args={**SMALL, "include_dashboard": False})
    print(f"ADDRESS {cluster.address}", flush=True)
    node = None
    for line in sys.stdin:
        word = line.strip()
        if word == "add":
            node = cluster.add_node(**SMALL)
        elif word == "kill":  # as a power cut does: its processes get SIGKILL
            cluster.remove_node(node, allow_graceful=False)
        else:
            break
        print(f"DONE {word}", flush=True)
    cluster.shutdown()
    print("DONE end", flush=True)


if __name__ == "__main__":
    main()
