"""An address where no cluster is ends in one sentence within seconds; Ray itself waits for minutes, or for ever."""

from __future__ import annotations

import socket

import pytest

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.launch import cluster


def test_an_address_where_nothing_listens_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PAUSE", 0.01)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens there
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(SslgraphError, match=rf"^no Ray cluster answers at {where} \(Connection refused\)"),
            cluster.cluster(where),
        ):
            pass
        taken.listen()
        cluster.refuse_silent(where)


@pytest.mark.parametrize("address", ["nowhere", "host:", ":6379", "host:port", "host:99999"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(SslgraphError, match="is no address of a Ray cluster: write HOST:PORT"):
        cluster.refuse_silent(address)


@pytest.mark.parametrize("address", ["auto", "local", "ray://host:10001"])
def test_rays_own_words_are_left_to_it(address: str) -> None:
    cluster.refuse_silent(address)
