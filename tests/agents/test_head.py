"""The fused head: values and gradients against logits in float64, and against closed forms."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.grpo.loss import clipped_surrogate
from agents.policy.head import CHUNKS_PER_PRODUCT, head_stats, stats_from_logits
from agents.sdpo.loss import distribution_divergence

SIZE = 6


def make(seed, count, vocabulary, spread=1.0, trained=True):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    hidden = normal(count, SIZE).mul(spread).requires_grad_()
    weight = normal(vocabulary, SIZE).requires_grad_(trained)
    return hidden, weight, torch.randint(vocabulary, (count,), generator=generator), normal(count, SIZE) * spread


def with_tail(stats):
    return torch.cat([stats.top_logprobs, stats.tail_logprobs[:, None]], -1)


LOSSES = {
    "reverse KL": lambda s, t: distribution_divergence(with_tail(s), with_tail(t), "reverse_kl"),
    "forward KL": lambda s, t: distribution_divergence(with_tail(s), with_tail(t), "forward_kl"),
    "JSD": lambda s, t: distribution_divergence(with_tail(s), with_tail(t), "jsd", 0.3),
    "renormalised": lambda s, t: distribution_divergence(
        s.top_logprobs.log_softmax(-1), t.top_logprobs.log_softmax(-1), "reverse_kl"
    ),
    "sampled token": lambda s, t: (s.logprobs - t.logprobs).detach() * s.logprobs,
    "surrogate": lambda s, t: clipped_surrogate(
        s.logprobs - s.logprobs.detach() + 0.1, t.logprobs, clip_low=0.2, clip_high=0.28, dual_clip=3.0
    ),
    "k3": lambda s, t: (t.logprobs - s.logprobs).exp() - (t.logprobs - s.logprobs) - 1,
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("trained", [True, False])
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 9),
    vocabulary=st.integers(2, 40),
    top_k=st.integers(1, 45),
    temperature=st.sampled_from([1.0, 0.6, 1.7]),
    spread=st.sampled_from([0.1, 1.0, 6.0]),
    rows=st.integers(1, 10),
)
@settings(max_examples=25)
def test_equals_materialised_logits(name, trained, seed, count, vocabulary, top_k, temperature, spread, rows):
    hidden, weight, token_ids, teacher = make(seed, count, vocabulary, spread, trained)
    top_k = min(top_k, vocabulary - 1)  # a tail of nothing has no log-prob
    results = []
    for fused in (True, False):

        def stats(states, fused=fused, **choice):
            if fused:
                return head_stats(
                    states, weight, token_ids, temperature=temperature, chunk_elements=rows * vocabulary, **choice
                )
            return stats_from_logits(states @ weight.T, token_ids, temperature=temperature, **choice)

        student = stats(hidden, top_k=top_k)
        with torch.no_grad():
            target = stats(teacher, indices=student.indices)
        loss = LOSSES[name](student, target)
        gradients = torch.autograd.grad(loss.sum(), [hidden, weight] if trained else [hidden])
        results.append((student, target, loss, gradients))
    (student, target, loss, gradients), (*expected_stats, expected_loss, expected_gradients) = results
    for found, expected in zip([student, target], expected_stats, strict=True):
        for name, a, b in zip(found._fields, found, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9, msg=lambda text, name=name: f"{name}: {text}")
    torch.testing.assert_close(loss, expected_loss, rtol=1e-8, atol=1e-9)
    for a, b in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("trained", [True, False])
def test_gradients_by_finite_differences(trained):
    hidden, weight, token_ids, _ = make(1, 4, 12, trained=trained)

    def numbers(hidden, weight):
        stats = head_stats(hidden, weight, token_ids, top_k=3, temperature=0.8, chunk_elements=24)
        return stats.logprobs, stats.top_logprobs, stats.tail_logprobs

    assert torch.autograd.gradcheck(numbers, (hidden, weight))


def test_closed_forms():
    """The student's logits are its hidden states: dL/dz can be read off. Vectors of the reverse KL from the paper."""
    student = torch.tensor([[0.5, 0.3, 0.15, 0.05]], dtype=torch.float64)
    teacher = torch.tensor([[0.2, 0.5, 0.2, 0.1]], dtype=torch.float64)
    hidden, one = student.log().requires_grad_(), torch.eye(4, dtype=torch.float64)
    token_ids = torch.tensor([1])
    found = head_stats(hidden, one, token_ids, top_k=2)
    torch.testing.assert_close(found.logprobs.exp(), student[:, 1])
    torch.testing.assert_close(found.top_logprobs.exp(), student[:, :2])
    torch.testing.assert_close(found.tail_logprobs.exp(), student[:, 2:].sum(-1))
    torch.testing.assert_close(found.entropy, -(student * student.log()).sum(-1))
    target = head_stats(teacher.log(), one, token_ids, indices=found.indices)
    loss = LOSSES["reverse KL"](found, target)
    torch.testing.assert_close(loss, torch.tensor([0.223805], dtype=torch.float64), atol=1e-6, rtol=0)
    (gradient,) = torch.autograd.grad(loss.sum(), hidden)
    ratio = torch.cat([student / teacher])[:, [0, 1]].log()
    tail = (student[:, 2:].sum() / teacher[:, 2:].sum()).log().expand(1, 2)
    torch.testing.assert_close(gradient, student * (torch.cat([ratio, tail], -1) - loss[:, None]))


def test_a_small_tail_is_exact():
    hidden = torch.tensor([[0.0, -40.0, -41.0]], requires_grad=True)
    found = head_stats(hidden, torch.eye(3), torch.tensor([0]), top_k=1)
    expected = torch.tensor([-40.0, -41.0]).logsumexp(0)
    torch.testing.assert_close(found.tail_logprobs[0], expected, rtol=1e-6, atol=0)
    (gradient,) = torch.autograd.grad(found.tail_logprobs.sum(), hidden)
    assert gradient[0, 1] > 0.5 and torch.isfinite(gradient).all()


def test_a_tail_that_underflows_has_finite_gradients():
    hidden = torch.tensor([[0.0, -300.0, -300.0]], requires_grad=True)
    found = head_stats(hidden, torch.eye(3), torch.tensor([0]), top_k=1)
    loss = distribution_divergence(with_tail(found), torch.tensor([[0.5, 0.5]]).log(), "reverse_kl")
    assert torch.isfinite(torch.autograd.grad(loss.sum(), hidden)[0]).all()


def test_no_top_tokens():
    hidden, weight, token_ids, _ = make(2, 5, 9)
    found = head_stats(hidden, weight, token_ids)
    assert found.top_logprobs.shape == found.indices.shape == (5, 0)
    torch.testing.assert_close(found.logprobs, (hidden @ weight.T).log_softmax(-1).gather(-1, token_ids[:, None])[:, 0])


@pytest.mark.parametrize("trained", [True, False])
def test_products_in_bfloat16(trained):
    """Accumulated in float32: as far off as bfloat16 products of the same size are."""
    hidden, weight, token_ids, _ = make(3, 16, 50, trained=trained)
    hidden, weight = (x.detach().float().requires_grad_(x.requires_grad) for x in (hidden, weight))
    exact = head_stats(hidden, weight, token_ids, top_k=5)
    rough = head_stats(hidden, weight, token_ids, indices=exact.indices, compute_dtype=torch.bfloat16)
    assert rough.logprobs.dtype == torch.float32
    torch.testing.assert_close(rough.logprobs, exact.logprobs, atol=0.1, rtol=0)
    wanted = [hidden, weight] if trained else [hidden]
    for a, b in zip(
        torch.autograd.grad(rough.logprobs.sum(), wanted),
        torch.autograd.grad(exact.logprobs.sum(), wanted),
        strict=True,
    ):
        assert (a - b).norm() < 0.03 * b.norm()


def test_no_tensor_of_tokens_times_vocabulary():
    """Peak memory stays near the chunks' size."""
    sizes = {torch.float32: [], torch.bfloat16: [], torch.int64: [], torch.bool: []}

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
            result = function(*arguments, **(keywords or {}))
            for x in torch.utils._pytree.tree_leaves(result):
                if isinstance(x, torch.Tensor):
                    sizes[x.dtype].append(x.numel())
            return result

    count, vocabulary = 800, 3000
    hidden = torch.randn(count, 8, requires_grad=True)
    weight = torch.randn(vocabulary, 8, requires_grad=True)
    with Watch():
        found = head_stats(
            hidden,
            weight,
            torch.zeros(count, dtype=torch.int64),
            top_k=7,
            compute_dtype=torch.bfloat16,
            chunk_elements=10 * vocabulary,
        )
        (found.logprobs.sum() + found.tail_logprobs.exp().sum()).backward()
    waiting = sizes.pop(torch.bfloat16)
    assert max(map(max, filter(None, sizes.values()))) <= 10 * vocabulary < count * vocabulary / 10
    assert max(waiting) <= CHUNKS_PER_PRODUCT * 10 * vocabulary < count * vocabulary / 10
