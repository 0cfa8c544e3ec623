"""SDPO's losses against numbers computed by hand, closed forms and finite differences."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.policy.head import stats_from_logits
from agents.sdpo.loss import (
    compared_logprobs,
    distribution_divergence,
    importance_weights,
    sampled_token_loss,
    sequence_loss,
)

STUDENT = torch.tensor([[0.5, 0.3, 0.15, 0.05]], dtype=torch.float64).log()
TEACHER = torch.tensor([[0.2, 0.5, 0.2, 0.1]], dtype=torch.float64).log()


def compared(student, teacher, top_k, tail, of="student"):
    """What is compared of two distributions that are given as logits (N, V)."""
    first = torch.zeros(len(student), dtype=torch.int64)
    indices = stats_from_logits(student if of == "student" else teacher, first, top_k=top_k).indices
    tail = tail and top_k < teacher.shape[1]
    return [compared_logprobs(stats_from_logits(logits, first, indices=indices), tail) for logits in (student, teacher)]


@pytest.mark.parametrize(
    ("kind", "alpha", "expected"),
    [("forward_kl", 0.5, 0.199006), ("reverse_kl", 0.5, 0.227088), ("jsd", 0.5, 0.051880), ("jsd", 0.25, 0.037916)],
)
def test_divergence_of_known_distributions(kind, alpha, expected):
    assert distribution_divergence(STUDENT, TEACHER, kind, alpha).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "tail", "expected"),
    [
        ("reverse_kl", True, 0.223805),
        ("forward_kl", True, 0.193794),
        ("jsd", True, 0.050875),
        ("reverse_kl", False, 0.247591),
        ("jsd", False, 0.059239),
    ],
)
def test_top_two_with_and_without_tail(kind, tail, expected):
    student, teacher = compared(STUDENT, TEACHER, top_k=2, tail=tail)
    assert distribution_divergence(student, teacher, kind).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "tail", "expected"),
    [
        ("reverse_kl", True, 0.3 * math.log(0.3 / 0.5) + 0.15 * math.log(0.15 / 0.3) + 0.55 * math.log(0.55 / 0.2)),
        ("forward_kl", True, 0.5 * math.log(0.5 / 0.3) + 0.3 * math.log(0.3 / 0.15) + 0.2 * math.log(0.2 / 0.55)),
        ("reverse_kl", False, 2 / 3 * math.log(2 / 3 / 0.625) + 1 / 3 * math.log(1 / 3 / 0.375)),
        ("forward_kl", False, 0.625 * math.log(0.625 / (2 / 3)) + 0.375 * math.log(0.375 / (1 / 3))),
    ],
)
def test_the_teachers_top_two(kind, tail, expected):
    teacher = torch.tensor([[0.1, 0.5, 0.3, 0.1]], dtype=torch.float64).log()
    student, teacher = compared(STUDENT, teacher, 2, tail, of="teacher")
    assert distribution_divergence(student, teacher, kind).item() == pytest.approx(expected, abs=1e-9)


@given(
    st.lists(st.floats(-5, 5), min_size=12, max_size=12),
    st.integers(1, 6),
    st.sampled_from(["student", "teacher"]),
    st.sampled_from(["reverse_kl", "forward_kl", "jsd"]),
)
def test_with_a_tail_the_divergence_is_at_most_that_of_all_tokens(values, top_k, of, kind):
    """Whoever chooses the tokens: lumping the others together cannot make distributions easier to tell apart."""
    student, teacher = torch.tensor(values, dtype=torch.float64).view(2, 1, 6).log_softmax(-1)
    some = distribution_divergence(*compared(student, teacher, top_k, True, of), kind).item()
    assert -1e-9 < some < distribution_divergence(student, teacher, kind).item() + 1e-9


def test_expected_gradient_of_the_sequence_level_is_that_of_the_kl_of_whole_responses():
    """All responses of three tokens from a vocabulary of three, each with the student's probability."""
    generator = torch.Generator().manual_seed(0)
    logits, other = torch.randn(2, 1 + 3 + 9, 3, generator=generator, dtype=torch.float64)  # one row per prefix
    logits.requires_grad_()
    student, teacher = logits.log_softmax(-1), other.log_softmax(-1)
    tokens = torch.cartesian_prod(*[torch.arange(3)] * 3)  # (27, 3)
    prefixes = torch.stack(
        [torch.zeros(27, dtype=torch.int64), 1 + tokens[:, 0], 4 + 3 * tokens[:, 0] + tokens[:, 1]], 1
    )
    log_p, log_q = (rows[prefixes, tokens] for rows in (student, teacher))  # (27, 3)
    row_of_token = torch.arange(27).repeat_interleave(3)
    losses = sequence_loss(log_p.flatten(), log_q.flatten(), row_of_token).view(27, 3).sum(1)
    expectation = (log_p.sum(1).exp().detach() * losses).sum()
    (by_sampling,) = torch.autograd.grad(expectation, logits, retain_graph=True)
    kl = (log_p.sum(1).exp() * (log_p - log_q).sum(1)).sum()
    torch.testing.assert_close(3 * by_sampling, torch.autograd.grad(kl, logits)[0])


def test_at_the_sequence_level_all_tokens_of_a_response_have_its_mean_advantage():
    logprobs = torch.tensor([-1.0, -2.0, -1.0, -3.0, -1.0], requires_grad=True)
    teacher = torch.tensor([-0.5, -1.0, -3.0, -3.0, -4.0])  # log q − log π: 0.5, 1, −2 and 0, −3
    sequence_loss(logprobs, teacher, torch.tensor([0, 0, 0, 2, 2])).sum().backward()
    assert (-logprobs.grad).tolist() == pytest.approx([-0.5 / 3] * 3 + [-1.5] * 2)


def test_gradient_of_reverse_kl():
    logits = STUDENT.clone().requires_grad_()
    distribution_divergence(logits.log_softmax(-1), TEACHER, "reverse_kl").sum().backward()
    expected = torch.tensor([0.344601, -0.221374, -0.077216, -0.046012], dtype=torch.float64)
    torch.testing.assert_close(logits.grad[0], expected, atol=1e-6, rtol=0)


def test_gradient_of_reverse_kl_is_the_policy_gradient_over_the_vocabulary():
    """Prop. 2.1: the advantage of every token is log q − log π."""
    logits = STUDENT.clone().requires_grad_()
    logprobs = logits.log_softmax(-1)
    advantages = (TEACHER - logprobs).detach()
    torch.testing.assert_close(
        advantages[0], torch.tensor([-0.916291, 0.510826, 0.287682, 0.693147], dtype=torch.float64), atol=1e-6, rtol=0
    )
    (-(logprobs.exp().detach() * advantages * logprobs).sum()).backward()
    by_policy_gradient = logits.grad.clone()
    logits.grad = None
    distribution_divergence(logits.log_softmax(-1), TEACHER, "reverse_kl").sum().backward()
    torch.testing.assert_close(logits.grad, by_policy_gradient)


def test_expected_gradient_of_the_sampled_token_is_that_of_reverse_kl():
    logits = STUDENT.clone().requires_grad_()
    logprobs = logits.log_softmax(-1)
    expectation = (logprobs.exp().detach() * sampled_token_loss(logprobs, TEACHER)).sum()
    (by_sampling,) = torch.autograd.grad(expectation, logits)
    full = distribution_divergence(logits.log_softmax(-1), TEACHER, "reverse_kl").sum()
    torch.testing.assert_close(by_sampling, torch.autograd.grad(full, logits)[0])


@pytest.mark.parametrize("kind", ["reverse_kl", "forward_kl", "jsd"])
@pytest.mark.parametrize(("top_k", "tail"), [(9, True), (3, True), (3, False)])
@pytest.mark.parametrize("of", ["student", "teacher"])
def test_gradients_by_finite_differences(kind, top_k, tail, of):
    generator = torch.Generator().manual_seed(0)
    student = torch.randn(2, 9, generator=generator, dtype=torch.float64, requires_grad=True)
    teacher = torch.randn(2, 9, generator=generator, dtype=torch.float64)

    def loss(logits):
        return distribution_divergence(*compared(logits, teacher, top_k, tail, of), kind)

    assert torch.autograd.gradcheck(loss, (student,))


@pytest.mark.parametrize("kind", ["reverse_kl", "forward_kl", "jsd"])
def test_all_tokens_as_top_k_equals_the_full_vocabulary(kind):
    generator = torch.Generator().manual_seed(1)
    student, teacher = torch.randn(2, 5, 11, generator=generator).log_softmax(-1)
    full = distribution_divergence(student, teacher, kind)
    for top_k in (11, 100):
        same = distribution_divergence(*compared(student, teacher, top_k, True), kind)
        torch.testing.assert_close(full, same)


@given(
    st.lists(st.floats(-30, 30), min_size=12, max_size=12),
    st.sampled_from(["reverse_kl", "forward_kl", "jsd"]),
    st.integers(1, 6),
    st.booleans(),
)
def test_divergences_are_finite_and_not_negative(values, kind, top_k, tail):
    student = torch.tensor([values[:6]], requires_grad=True)
    teacher = torch.tensor([values[6:]]).log_softmax(-1)
    loss = distribution_divergence(*compared(student, teacher, top_k, tail), kind)
    loss.sum().backward()
    assert torch.isfinite(loss).all() and loss.item() > -1e-5
    assert torch.isfinite(student.grad).all()
    if kind == "jsd":
        assert loss.item() <= math.log(2) + 1e-5


def test_a_tail_of_tiny_probability_stays_finite():
    peaked = torch.full((1, 8), -40.0)
    peaked[0, :2] = 0.0
    student = peaked.clone().requires_grad_()
    teacher = torch.zeros(1, 8).log_softmax(-1)
    loss = distribution_divergence(*compared(student, teacher, 2, True), "forward_kl")
    loss.sum().backward()
    assert torch.isfinite(loss).all() and torch.isfinite(student.grad).all()
    # Teacher: 1/8 each for the two, 6/8 for the six others, to which the student gives e⁻⁴⁰/2 each.
    expected = 2 * 0.125 * math.log(0.125 / 0.5) + 0.75 * (math.log(0.75) - (math.log(3) - 40))
    assert loss.item() == pytest.approx(expected, rel=1e-4)


def test_importance_weights_are_capped_and_constant():
    logprobs = torch.tensor([-1.0, -1.0, -1.0], requires_grad=True)
    weights = importance_weights(logprobs, torch.tensor([-1.0, -9.0, -0.5]), cap=2.0)
    assert weights.tolist() == pytest.approx([1.0, 2.0, math.exp(-0.5)])
    assert not weights.requires_grad
