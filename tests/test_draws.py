import math

import pytest
import torch

from sslgraph import draws

INDEX = torch.arange(20_000)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_known_answers_of_random123(
    counter: tuple[int, ...], key: tuple[int, int], expected: tuple[int, ...]
) -> None:
    out = draws.philox(tuple(torch.tensor(word) for word in counter), key)
    assert tuple(int(word) for word in out) == expected


def test_philox_equals_a_plain_integer_version_on_random_words() -> None:
    words = torch.randint(0, 2**32, (6, 50), generator=torch.Generator().manual_seed(0))
    out = torch.stack(draws.philox(tuple(words[:4]), (words[4], words[5])), 1)
    assert out.tolist() == [list(_philox_in_integers(row)) for row in words.T.tolist()]


def _philox_in_integers(words: list[int]) -> tuple[int, ...]:
    c0, c1, c2, c3, k0, k1 = words
    for _ in range(10):
        first, second = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = second >> 32 ^ c1 ^ k0, second & 0xFFFFFFFF, first >> 32 ^ c3 ^ k1, first & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def test_a_samples_numbers_hang_on_no_other_sample_and_on_no_longer_request() -> None:
    draw = draws.keyed(7, 3, INDEX[:10])
    whole = draws.words(draw, 9)
    assert draws.words(draw[[4, 2]], 9).equal(whole[[4, 2]])
    assert draws.words(draw, 2).equal(whole[:, :2])


@pytest.mark.parametrize(
    "other", [draws.keyed(8, 3, INDEX[:10], 1), draws.keyed(7, 4, INDEX[:10], 1), draws.keyed(7, 3, INDEX[:10], 2)]
)
def test_seed_epoch_and_stream_each_change_every_sample(other: torch.Tensor) -> None:
    draw = draws.keyed(7, 3, INDEX[:10], 1)
    assert (draws.words(draw, 4) != draws.words(other, 4)).any(1).all()


def test_indices_beyond_32_bits_and_late_blocks_differ() -> None:
    index = torch.tensor([5, 5 + 2**32, 5 + 2**40])
    assert len(draws.words(draws.keyed(0, 0, index), 64).flatten().unique()) == 3 * 64


def test_the_epoch_may_be_a_tensor() -> None:
    assert draws.keyed(1, torch.tensor(4), INDEX[:3]).equal(draws.keyed(1, 4, INDEX[:3]))


def test_the_numbers_of_a_run_stay_what_they_are() -> None:
    draw = draws.substream(draws.keyed(7, 3, torch.tensor([0, 2**33 + 5])), draws.stream_of("crop"), copies=2)
    assert draws.words(draw, 5).tolist() == [
        [3266606829, 1540607757, 585657474, 1078645796, 4216115231],
        [1958053878, 338688360, 3945521791, 2699022980, 619482760],
        [1420226943, 918163308, 884106130, 399142423, 1476396626],
        [160367092, 2037110531, 1464608947, 2015924124, 3208827831],
    ]


def test_copies_of_a_bag_are_view_major_and_the_first_is_the_draw_of_a_single_view() -> None:
    draw = draws.keyed(0, 0, INDEX[:5])
    bag = draws.substream(draw, 9, copies=3)
    assert bag[:5].equal(draws.substream(draw, 9))
    assert bag[:, 2].tolist() == list(range(5)) * 3
    assert len(draws.words(bag, 4).flatten().unique()) == 5 * 3 * 4


def test_parts_of_a_sample_follow_each_other_and_draw_the_same_in_any_batch() -> None:
    draw = draws.keyed(0, 0, INDEX[:5])
    bag = draws.substream(draw, 9, copies=2, parts=3)
    assert bag[:, 2].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4] * 2
    assert len(draws.words(bag, 4).flatten().unique()) == 5 * 2 * 3 * 4
    last = draws.substream(draw[3:], 9, copies=2, parts=3)
    assert last.equal(torch.cat([bag[9:15], bag[24:30]]))


def test_uniform_numbers_lie_in_the_interval_with_the_mean_and_variance_of_one() -> None:
    u = draws.uniform(draws.keyed(0, 0, INDEX), 4, low=-1.0, high=3.0)
    assert u.min() >= -1 and u.max() < 3
    assert u.mean().item() == pytest.approx(1, abs=0.02) and u.var().item() == pytest.approx(16 / 12, abs=0.03)


def test_uniform_numbers_are_exact_in_float32() -> None:
    u = draws.uniform(draws.keyed(0, 0, INDEX), 2)
    assert u.float().double().equal(u)


def test_normal_numbers_have_the_moments_of_the_normal_law() -> None:
    z = draws.normal(draws.keyed(0, 0, INDEX), 3)
    assert z.mean().item() == pytest.approx(0, abs=0.02) and z.var().item() == pytest.approx(1, abs=0.02)
    assert z.pow(4).mean().item() == pytest.approx(3, abs=0.15)
    assert torch.corrcoef(z.T).sub(torch.eye(3)).abs().max() < 0.03


def test_whole_numbers_cover_their_range_evenly() -> None:
    counts = draws.integers(draws.keyed(0, 0, INDEX), 1, 10)[:, 0].bincount()
    assert len(counts) == 10 and counts.sub(2000).abs().max() < 5 * math.sqrt(2000)


def test_a_setting_is_each_samples_own_where_it_says_a_draw() -> None:
    draw = draws.keyed(0, 0, INDEX[:4000])
    assert draws.each(draw[:3], 0.25).tolist() == draws.each(draw[:3], torch.tensor(0.25)).tolist() == [0.25] * 3
    values = draws.each(draw, {"uniform": [0.2, 0.4], "p": 0.25})
    some = values[values > 0]
    assert len(some) / 4000 == pytest.approx(0.25, abs=0.03) and some.mean().item() == pytest.approx(0.3, abs=0.01)
    assert some.min() >= 0.2 and some.max() < 0.4
    assert draws.each(draw, {"uniform": [0.2, 0.4]}).min() >= 0.2


def test_permutations_hold_each_number_once_and_put_each_everywhere() -> None:
    order = draws.permutation(draws.keyed(0, 0, INDEX[:6000]), 5)
    assert order.sort(1).values.eq(torch.arange(5)).all()
    counts = torch.stack([column.bincount(minlength=5) for column in order.T])
    assert counts.sub(1200).abs().max() < 5 * math.sqrt(1200)


def test_streams_of_names_are_the_low_half_of_the_known_crc32_answer() -> None:
    assert draws.stream_of("123456789") == 0x3926


def test_a_fair_subset_is_always_the_same_and_lies_in_every_larger_one() -> None:
    assert draws.fair(1000, 8).tolist() == [56, 84, 114, 316, 640, 683, 713, 733]
    assert draws.fair(5, 5).tolist() == draws.fair(5, 9).tolist() == [0, 1, 2, 3, 4]
    subsets = [set(draws.fair(1000, most).tolist()) for most in (10, 11, 500)]
    assert subsets[0] < subsets[1] < subsets[2] and [len(some) for some in subsets] == [10, 11, 500]


def test_labels_come_equally_often_in_a_fair_subset_as_far_as_there_are_enough() -> None:
    labels = torch.arange(50).repeat_interleave(torch.tensor([2, 200]).repeat(25))
    assert labels[draws.fair(len(labels), 50, labels)].tolist() == list(range(50))
    counts = labels[draws.fair(len(labels), 500, labels)].bincount()
    assert counts[::2].tolist() == [2] * 25 and counts[1::2].tolist() == [18] * 25


def test_a_fair_subset_of_sorted_images_is_spread_evenly_over_them() -> None:
    chosen = draws.fair(100_000, 10_000)
    assert (chosen.double().mean() / 100_000 - 0.5).abs() < 0.01
    assert (chosen // 10_000).bincount().min() > 900


def test_each_nth_is_always_the_same_and_takes_its_share_of_every_label() -> None:
    assert draws.each_nth(20, 10).tolist() == [0, 12]
    labels = torch.arange(40).repeat_interleave(torch.tensor([25, 3]).repeat(20))
    taken = draws.each_nth(len(labels), 10, labels)
    assert len(taken) == len(labels) // 10
    shares = labels[taken].bincount(minlength=40)
    assert shares[::2].min() >= 2 and shares[::2].max() <= 3 and 3 <= shares[1::2].sum() <= 9
    alternating = torch.arange(20) % 2
    assert alternating[draws.each_nth(20, 10, alternating)].sort().values.tolist() == [0, 1]


def test_words_in_c_are_those_of_tensor_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    if draws._library() is None:
        pytest.skip("there is no C compiler")
    index = torch.tensor([0, 1, 2**31, 2**32 - 1, 2**32, 2**40 + 5])
    some = torch.stack([torch.full_like(index, 2**33 + 7), index % 5, index, index % (2**32)], 1)
    for draw in (some, some[::2], some.flip(1)[:2], some[:0]):
        for count in (1, 4, 9):
            found = draws.words(draw, count)
            with monkeypatch.context() as changed:
                changed.setattr(draws, "_library", lambda: None)
                assert draws.words(draw, count).equal(found)
