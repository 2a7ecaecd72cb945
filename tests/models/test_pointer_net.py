import pytest
import torch
from toy_pages import toy

from doer.models.local.pointer.batch import Batcher, alike
from doer.models.local.pointer.encoding import encode, encode_action
from doer.models.local.pointer.grammar import Rules
from doer.models.local.pointer.net import Inputs, NetConfig, PointerNet, fresh
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.models.local.stepping import one_thread

PLAIN = Vocabulary()
BATCHER = Batcher(PLAIN)
PAIRS = [toy(seed) for seed in range(6)]
PREFIXES = [encode(request, PLAIN) for request, _ in PAIRS]
RULES = [Rules(BATCHER.grammar, prefix) for prefix in PREFIXES]
ACTIONS = [encode_action(action, request, PLAIN) for request, action in PAIRS]


@pytest.fixture(scope="module")
def net() -> PointerNet:
    one_thread()
    net = fresh(NetConfig(tokens=PLAIN.size, first_place=PLAIN.first_place), seed=0)
    with torch.no_grad():  # the convolution starts at zero and would hide its faults
        for block in net.blocks:
            block.near.copy_(torch.linspace(-0.3, 0.3, block.near.numel()).view_as(block.near))
    return net.requires_grad_(False)


def scores(net: PointerNet, rows: list[int]) -> torch.Tensor:
    prefixes = [PREFIXES[row] for row in rows]
    rules = [RULES[row] for row in rows]
    inputs = BATCHER.answers(rules, [ACTIONS[row] for row in rows]).inputs
    return net.write(inputs, net.read(BATCHER.prefixes(prefixes)))[0]


def test_padding_changes_nothing(net: PointerNet) -> None:
    together = scores(net, list(range(6)))
    for row in range(6):
        alone = scores(net, [row])[0]
        same = together[row, : len(ACTIONS[row]), : alone.shape[1]]
        torch.testing.assert_close(same, alone, atol=2e-5, rtol=1e-4)


def test_token_by_token_is_the_same_as_at_once(net: PointerNet) -> None:
    row = max(range(6), key=lambda row: len(ACTIONS[row]))
    inputs = BATCHER.answers([RULES[row]], [ACTIONS[row]]).inputs
    memory = net.read(BATCHER.prefixes([PREFIXES[row]]))
    at_once, _ = net.write(inputs, memory)
    past, parts = None, []
    for at in range(len(ACTIONS[row])):
        one, past = net.write(Inputs(*(x[:, at : at + 1] for x in inputs)), memory, past)
        parts.append(one)
    torch.testing.assert_close(torch.cat(parts, 1), at_once, atol=2e-5, rtol=1e-4)


def test_an_action_token_does_not_see_what_comes_after(net: PointerNet) -> None:
    row = max(range(6), key=lambda row: len(ACTIONS[row]))
    inputs = BATCHER.answers([RULES[row]], [ACTIONS[row]]).inputs
    memory = net.read(BATCHER.prefixes([PREFIXES[row]]))
    before, _ = net.write(inputs, memory)
    inputs.tokens_R_A[0, -1] = PLAIN.text("z")[0]
    after, _ = net.write(inputs, memory)
    torch.testing.assert_close(before[:, :-1], after[:, :-1])
    assert not torch.allclose(before[:, -1], after[:, -1])


def test_the_number_of_a_place_carries_nothing(net: PointerNet) -> None:
    first = PLAIN.first_place
    moved = tuple(token + 50 if first <= token < first + 50 else token for token in PREFIXES[0])
    plain = net.read(BATCHER.prefixes([PREFIXES[0]])).states_R_P_D
    torch.testing.assert_close(plain, net.read(BATCHER.prefixes([moved])).states_R_P_D)


def test_a_copy_goes_on_where_it_left_off(net: PointerNet) -> None:
    # Two tokens of the name have been copied, so the bonus of both falls on the third.
    name = PLAIN.text("a b c")
    prefix = (PLAIN.mark("task"), *name, PLAIN.mark("page"), PLAIN.mark("last"), PLAIN.mark("act"))
    memory = net.read(BATCHER.prefixes([prefix]))
    inputs = BATCHER.one([name[1]], [name[0]], [-1])
    with_bonus, _ = net.write(inputs, memory)
    bonus = net.induction.clone()
    net.induction.zero_()
    without, _ = net.write(inputs, memory)
    net.induction.copy_(bonus)
    gain = (with_bonus - without)[0, 0, PLAIN.size :]
    torch.testing.assert_close(gain, torch.tensor([0.0, 0, 0, 4, 0, 0]), atol=1e-5, rtol=0)


def test_groups_of_like_length() -> None:
    assert alike([5, 3, 4], most=2) == [[1, 2], [0]]
    assert alike([50, 400, 50, 400], most=9) == [[0, 2], [1, 3]]
    assert alike([], most=9) == []
