"""Learning with rows laid out as a trie, beside what one plain pass a row gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_hf
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from doer.models.local.hf import learner as learner_module
from doer.models.local.hf.folder import read
from doer.models.local.hf.learner import HFLearner
from doer.models.local.hf.trie import grouped, trie
from doer.models.local.lora import Lora
from doer.models.local.weights import Row
from doer.records.completion import Segment
from doer.training.losses import clipped_ratio, imitation

TEXTS = ["a small text about nothing much, said twice, said twice"]
Tokens = st.lists(st.integers(1, 3), min_size=1, max_size=12).map(tuple)


@given(st.lists(Tokens, min_size=1, max_size=12), st.integers(1, 40))
def test_a_trie_holds_every_row_and_nothing_twice(rows, size) -> None:
    groups = grouped(rows, size)
    assert sorted(at for group in groups for at in group) == list(range(len(rows)))
    for group in groups:
        some = [rows[at] for at in group]
        laid = trie(some)
        assert len(laid.ids_N) <= max(size, max(map(len, some)))
        assert len(laid.ids_N) == len({row[:end] for row in some for end in range(1, len(row) + 1)})
        for row, path in zip(some, laid.paths, strict=True):
            assert tuple(laid.ids_N[path]) == row
            assert list(laid.depth_N[path]) == list(range(len(row)))
            for at, node in enumerate(path):
                assert list(np.flatnonzero(laid.above_N_N[node])) == sorted(path[: at + 1])


def row(ids: list[int], mask: list[int], advantage: float = 1.0, old: float = -5.0) -> Row:
    logprobs = tuple(old * own for own in mask)
    return Row(Segment(token_ids=tuple(ids), mask=tuple(mask), logprobs=logprobs), advantage)


START = list(range(40, 70))
ROWS = [
    row([*START, 80, 81, 82], [0] * 30 + [1, 1, 1], 1.0),
    row([*START, 80, 81, 90, 91, 92], [0] * 30 + [1, 0, 0, 1, 1], -0.5),
    row([*START, 80, 81, 90, 91, 92], [0] * 30 + [1, 0, 0, 1, 1], 0.25),
    row([*START[:10], 99], [0] * 10 + [1], 2.0),
]


@pytest.fixture(params=small_hf.TEMPLATES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return small_hf.write(tmp_path / "small", request.param, TEXTS)


def plain(net: Any, one: Row) -> torch.Tensor:
    """log p of the chosen tokens, from one pass over the row alone."""
    ids = torch.tensor([one.segment.token_ids])
    logp = net(ids).logits[0].float().log_softmax(-1)[:-1].gather(-1, ids[0, 1:, None])[:, 0]
    return logp[torch.tensor(one.segment.mask[1:]) == 1]


def test_log_probabilities_and_gradients_are_those_of_plain_passes(folder: Path) -> None:
    weights = read(folder, trained=True)
    learner = HFLearner(weights)
    for one, logprobs in zip(ROWS, learner.log_probs(ROWS), strict=True):
        chosen = [logp for logp, own in zip(logprobs, one.segment.mask, strict=True) if own]
        assert chosen == pytest.approx(plain(weights.net, one).tolist(), abs=1e-4)
        assert len(logprobs) == len(one.segment.mask)

    weights.net.zero_grad()
    sum(-plain(weights.net, one).sum() * one.advantage for one in ROWS).backward()
    expected = {n: p.grad.clone() for n, p in weights.net.named_parameters() if p.grad is not None}
    norm = float(torch.stack([grad.norm() for grad in expected.values()]).norm())
    report = learner.step(ROWS, imitation, normaliser=1.0, lr=0.0)
    assert report.grad_norm == pytest.approx(norm, rel=1e-3)
    scale = min(1.0, 1.0 / norm)
    for name, weight in weights.net.named_parameters():
        if name in expected:
            torch.testing.assert_close(weight.grad, expected[name] * scale, atol=1e-4, rtol=1e-3)


def test_the_cut_into_passes_makes_no_difference(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = []
    for size in (2048, 36):
        monkeypatch.setitem(learner_module._NODES, "cpu", size)
        learner = HFLearner(read(folder, trained=True))
        reports.append(learner.step(ROWS, clipped_ratio(0.2, 0.28, 0.01), 4.0, 1e-3))
    assert reports[0] == pytest.approx(reports[1], rel=1e-3, abs=1e-5)


def test_four_demonstrations_are_learnt_by_heart(folder: Path) -> None:
    learner = HFLearner(read(folder, trained=True))
    rows = [
        row([*START[: 9 + n], 100 + n, 110 + n, 2], [0] * (9 + n) + [1, 1, 1]) for n in range(4)
    ]
    for _ in range(150):
        learner.step(rows, imitation, normaliser=12.0, lr=3e-3)
    whole = [np.exp(sum(logps)) for logps in learner.log_probs(rows)]
    assert min(whole) > 0.95


def test_a_checkpoint_is_a_folder_that_transformers_loads(folder: Path, tmp_path: Path) -> None:
    weights = read(folder, trained=True)
    learner = HFLearner(weights)
    learner.step(ROWS, imitation, normaliser=9.0, lr=1e-2)
    weights.save_merged(tmp_path / "out")
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    words = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert words.chat_template == AutoTokenizer.from_pretrained(folder).chat_template
    assert loaded.generation_config.eos_token_id == weights.net.generation_config.eos_token_id
    expected = learner.log_probs(ROWS[:1])[0][-1]
    assert plain(loaded, ROWS[0]).tolist()[-1] == pytest.approx(expected, abs=1e-5)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # peft's own
@pytest.mark.parametrize("folder", ["qwen", "llama"], indirect=True)
def test_an_adapter_is_trained_saved_loaded_and_merged(folder: Path, tmp_path: Path) -> None:
    weights = read(folder, Lora(rank=4, alpha=8), trained=True)
    frozen = {n: p.clone() for n, p in weights.net.named_parameters() if not p.requires_grad}
    learner = HFLearner(weights)
    before = learner.log_probs(ROWS)
    for _ in range(5):
        learner.step(ROWS, imitation, normaliser=9.0, lr=1e-2)
    after = learner.log_probs(ROWS)
    assert after != before
    now = dict(weights.net.named_parameters())
    assert all(torch.equal(now[name], weight) for name, weight in frozen.items())

    learner.save(tmp_path / "adapter")
    again = read(tmp_path / "adapter", trained=True)
    assert sum(p.numel() for p in again.net.parameters() if p.requires_grad) < 20_000
    assert HFLearner(again).log_probs(ROWS) == after

    weights.save_merged(tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").eval()
    assert not any("lora" in name for name, _ in merged.named_parameters())
    last = after[0][-1]
    assert plain(merged, ROWS[0]).tolist()[-1] == pytest.approx(last, abs=1e-4)
    base = AutoModelForCausalLM.from_pretrained(folder).eval()
    adapted = PeftModel.from_pretrained(base, str(tmp_path / "merged" / "adapter"))
    assert plain(adapted, ROWS[0]).tolist()[-1] == pytest.approx(last, abs=1e-4)
