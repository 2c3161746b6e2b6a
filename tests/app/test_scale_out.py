"""Pieces of work on real processes: in order, the same after a killed one, and with errors that keep their words."""

from __future__ import annotations

import sys

import pytest

from optimizer.app.scale_out import Workers, in_pieces
from optimizer.errors import InvalidInputError

EIGHT = [str(2 * piece).encode() for piece in range(8)]


@pytest.mark.parametrize("workers", [None, Workers(1), Workers(2)], ids=str)
def test_answers_come_in_the_order_of_the_pieces(workers):
    heard = []
    found = in_pieces("scale_out_cases:doubled", b"x", range(8), workers, heard.append)
    assert found == [b"x" + item for item in EIGHT]
    assert heard == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_process_that_is_killed_changes_nothing(tmp_path):
    told = tmp_path / "told"
    assert in_pieces("scale_out_cases:killed_once", str(told).encode(), range(8), Workers(2)) == EIGHT
    assert told.read_text() == "killed"


def test_what_a_piece_raises_comes_back_as_it_was():
    with pytest.raises(InvalidInputError, match="piece: is 1; take another"):
        in_pieces("scale_out_cases:failing", b"", range(3))
    with pytest.raises(InvalidInputError, match="piece: is 1; take another"):
        in_pieces("scale_out_cases:failing", b"", range(3), Workers(2))


def test_a_scheduler_that_does_not_answer_and_dask_that_is_not_there_are_told(monkeypatch):
    with pytest.raises(InvalidInputError, match="does not answer"):
        in_pieces("scale_out_cases:doubled", b"", [0], Workers(scheduler="tcp://127.0.0.1:9"))
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InvalidInputError, match="scale"):
        in_pieces("scale_out_cases:doubled", b"", [0], Workers(2))


def test_a_running_cluster_is_used_by_its_address():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        found = in_pieces("scale_out_cases:doubled", b"", range(8), Workers(scheduler=cluster.scheduler_address))
    assert found == EIGHT
