"""Gradient updates: what counts, what does not, and how a batch may be divided."""

import copy
import dataclasses
import functools
import math

import numpy as np
import pytest
import torch
from rich.console import Console
from training import make_groups, make_updater

from agents.algorithm import Row
from agents.batches import micro_batches
from agents.episode import Episode, Turn
from agents.grpo.algorithm import GRPO
from agents.grpo.config import GRPOConfig
from agents.policy.load import load_trainable
from agents.policy.next_tokens import next_tokens
from agents.policy.reference import ReferenceWeights
from agents.sdpo.algorithm import make_sdpo as make_algorithm
from agents.sdpo.config import SDPOConfig
from agents.update import Updater


def make_sdpo(policy, **settings):
    config = SDPOConfig(**{"lr": 1.0, "max_grad_norm": 1e9, "teacher": "frozen"} | settings)
    return config, make_algorithm(config, policy, Console(quiet=True))


def make_grpo(policy, **settings):
    config = GRPOConfig(lr=1.0, max_grad_norm=1e9, **settings)
    return config, GRPO(config, policy)


def weights_after_update(policy, config, algorithm, rows):
    """The flattened change of the weights by one update, which is then undone; and the metrics."""
    before = copy.deepcopy(policy.model.state_dict())
    metrics = make_updater(policy, config).update(algorithm, [copy.copy(row) for row in rows])
    after = policy.model.state_dict()
    change = torch.cat([(after[name] - before[name]).flatten() for name in before])
    policy.model.load_state_dict(before)
    return change, metrics


@pytest.mark.parametrize("make", [make_grpo, make_sdpo])
def test_an_update_changes_the_weights_and_does_what_it_is_for(policy, make):
    config, algorithm = make(policy)
    groups = make_groups(policy, ({0}, {1, 2}))
    rows, metrics = algorithm.assign(groups, step=1)
    assert metrics["learned_fraction"] == 1.0
    updater = make_updater(policy, config)
    updater.optimizer = torch.optim.SGD(policy.model.parameters(), lr=0.01)
    before = [parameter.detach().clone() for parameter in policy.model.parameters()]
    config.lr = 0.01
    first = updater.update(algorithm, rows)
    assert any(not torch.equal(a, b) for a, b in zip(before, policy.model.parameters(), strict=True))
    losses = [first["loss"]] + [updater.update(algorithm, rows)["loss"] for _ in range(3)]
    if make is make_sdpo:
        assert losses[-1] < losses[0]
    else:
        gains = {True: [], False: []}
        for episode in (episode for group in groups for episode in group):
            stats = next_tokens(policy, [episode.prompt_ids], [episode.continuation_ids]).stats(
                torch.tensor(episode.continuation_ids)
            )
            gains[episode.success].append(stats.logprobs.sum().item() - sum(episode.logprobs))
        assert np.mean(gains[True]) > np.mean(gains[False])


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        *(
            (make, {"aggregation": kind})
            for make in (make_grpo, make_sdpo)
            for kind in ("token", "sequence", "constant")
        ),
        (make_grpo, {"ratio": "sequence", "aggregation": "sequence", "clip_low": 3e-4, "clip_high": 4e-4}),
        (make_grpo, {"surrogate": "cispo", "advantage": "leave_one_out"}),
        (make_grpo, {"kl_coef": 0.5, "advantage": "mean_std"}),
        (make_sdpo, {"grpo_weight": 0.7}),
        (make_sdpo, {"route": "success"}),
    ],
)
def test_micro_batches_change_nothing(policy, make, settings):
    config, algorithm = make(policy, **settings)
    rows, _ = algorithm.assign(make_groups(policy, ({0}, {1, 2})), step=1)
    whole, metrics = weights_after_update(policy, config, algorithm, rows)
    config.micro_batch_tokens = 1
    pieces, metrics_of_pieces = weights_after_update(policy, config, algorithm, rows)
    assert len(micro_batches(rows, 1)) == 8
    torch.testing.assert_close(whole, pieces, atol=1e-5, rtol=1e-3)
    assert metrics == pytest.approx(metrics_of_pieces, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"teacher": "trust_region", "trust_region_mix": 0.3},
        {"top_k_of": "teacher", "top_k": 5},
        {"level": "token", "head_is_plain": False},
        {"route": "success"},
    ],
)
def test_a_teacher_with_long_prompts_keeps_to_the_limit_too(policy, settings):
    policy.head_is_plain = settings.pop("head_is_plain", True)
    config, algorithm = make_sdpo(policy, context="feedback", **settings)
    groups = make_groups(policy, (set(), {1, 2}))
    for group in groups:
        for i, episode in enumerate(group):
            episode.turns[-1].feedback = f"{i} is wrong. " * (40 - 10 * i)  # the first ones' are the longest
    with torch.no_grad():
        for parameter in policy.model.parameters():  # away from the teacher's
            parameter += 0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
    rows, _ = algorithm.assign(groups, step=1)
    config.micro_batch_tokens = 1
    one_by_one, expected_metrics = weights_after_update(policy, config, algorithm, rows)
    most = {}
    for config.micro_batch_tokens in (250, 10**6):  # of the teacher four times as many
        passes = []
        with policy.model.get_decoder().register_forward_pre_hook(
            lambda model, args, inputs, passes=passes: passes.append(inputs["input_ids"].numel()), with_kwargs=True
        ):
            change, metrics = weights_after_update(policy, config, algorithm, rows)
        torch.testing.assert_close(change, one_by_one, atol=1e-5, rtol=1e-3)
        assert metrics == pytest.approx(expected_metrics, rel=1e-4, abs=1e-6)
        most[config.micro_batch_tokens] = max(passes)
    assert most[250] <= 1000 < 1500 < most[10**6]


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (make_grpo, {}),
        *((make_sdpo, {"divergence": kind}) for kind in ("reverse_kl", "forward_kl", "jsd")),
        (make_sdpo, {"teacher": "trust_region", "trust_region_mix": 0.3, "temperature": 0.7}),
        (make_sdpo, {"teacher": "live", "tail": False}),
        (make_sdpo, {"top_k": 0}),
        (make_sdpo, {"level": "token"}),
    ],
)
def test_the_fused_head_changes_nothing(policy, make, settings):
    config, algorithm = make(policy, **{"top_k": 5} | settings if make is make_sdpo else settings)
    rows, _ = algorithm.assign(make_groups(policy, ({0}, {1, 2})), step=1)
    weights = [parameter.data for parameter in policy.model.parameters()]
    for weight in weights:  # away from the teacher's
        weight += 0.05 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(weight.numel()))
    assert policy.head_is_plain
    fused, metrics = weights_after_update(policy, config, algorithm, rows)
    policy.head_is_plain = False
    materialised, expected_metrics = weights_after_update(policy, config, algorithm, rows)
    assert fused.abs().max() > 0
    torch.testing.assert_close(fused, materialised, atol=2e-5, rtol=1e-3)
    assert metrics == pytest.approx(expected_metrics, rel=1e-3, abs=1e-5)


def test_the_kinds_of_mean(policy):
    """One response of 2 tokens and one of 6, of equal and opposite advantages."""
    (group,) = make_groups(policy, ({0}, set()))[:1]
    short, long = group[0], group[1]
    for episode, count in ((short, 2), (long, 6)):
        turn = episode.turns[0]
        turn.response_ids, turn.logprobs = turn.response_ids[:1] * count, turn.logprobs[:1] * count
    changes = {}
    for kind in ("token", "sequence", "constant"):
        config, algorithm = make_grpo(policy, aggregation=kind, max_new_tokens=100)
        rows, _ = algorithm.assign([[short, long]], step=1)
        each = [
            weights_after_update(policy, config, algorithm, [rows[0], dataclasses.replace(rows[1], forward=False)])[0]
        ]
        each += [
            weights_after_update(policy, config, algorithm, [dataclasses.replace(rows[0], forward=False), rows[1]])[0]
        ]
        changes[kind] = each
    # Of the sums of token losses: 1/8 each; 1/2 · 1/2 and 1/2 · 1/6; 1/200 each.
    for kind, (of_short, of_long) in {"sequence": (1 / 4, 1 / 12), "constant": (1 / 200, 1 / 200)}.items():
        torch.testing.assert_close(changes[kind][0], changes["token"][0] * 8 * of_short, atol=1e-6, rtol=1e-3)
        torch.testing.assert_close(changes[kind][1], changes["token"][1] * 8 * of_long, atol=1e-6, rtol=1e-3)


def test_a_penalty_pulls_towards_the_initial_weights(policy):
    config, algorithm = make_grpo(policy, kl_coef=1.0)
    with torch.no_grad():
        for parameter in policy.model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
    rows, _ = algorithm.assign(make_groups(policy, (set(), set())), step=1)  # no advantage at all
    config.lr = 0.01
    updater = make_updater(policy, config)
    updater.optimizer = torch.optim.SGD(policy.model.parameters(), lr=0.01)
    divergences = [updater.update(algorithm, rows)["kl"] for _ in range(4)]
    assert 0 < divergences[-1] < divergences[0]


def test_truncated_responses_may_be_skipped(policy):
    groups = make_groups(policy, ({0}, {1, 2}))
    groups[0][0].turns[0].truncated, groups[0][1].turns[0].truncated = True, False
    everything, _ = make_grpo(policy)[1].assign(groups, step=1)
    kept, _ = make_grpo(policy, skip_truncated=True)[1].assign(groups, step=1)
    assert [row.episode for row in kept] == [row.episode for row in everything if not row.episode.truncated]
    assert {row.signal for row in kept if row.episode in groups[0]} <= {-0.25}  # the skipped one counts for the mean


class TestHybrid:
    def test_is_the_weighted_sum(self, policy):
        groups = make_groups(policy, ({0}, {1, 2}))
        changes = {}
        for name, make, settings in (
            ("grpo", make_grpo, {}),
            ("sdpo", make_sdpo, {}),
            ("both", make_sdpo, {"grpo_weight": 0.3}),
        ):
            config, algorithm = make(policy, **settings)
            changes[name], _ = weights_after_update(policy, config, algorithm, algorithm.assign(groups, step=1)[0])
        expected = 0.3 * changes["grpo"] + 0.7 * changes["sdpo"]
        torch.testing.assert_close(changes["both"], expected, atol=1e-5, rtol=1e-3)

    @pytest.mark.parametrize("route", ["none", "success"])
    def test_with_all_the_weight_on_grpo_is_grpo(self, route, policy):
        groups = make_groups(policy, ({0}, {0, 1, 2, 3}))
        config, algorithm = make_sdpo(policy, grpo_weight=1.0, route=route, context="both")
        algorithm.teacher_distributions = None  # is not asked
        rows, metrics = algorithm.assign(groups, step=1)
        assert (metrics["learned_fraction"], metrics["distilled_fraction"]) == (0.5, 0.0)
        change, _ = weights_after_update(policy, config, algorithm, rows)
        config, algorithm = make_grpo(policy)
        expected, _ = weights_after_update(policy, config, algorithm, algorithm.assign(groups, step=1)[0])
        torch.testing.assert_close(change, expected)
        rows, _ = make_sdpo(policy, grpo_weight=1.0, route=route)[1].assign(groups[1:], step=1)
        assert not any(row.forward for row in rows)

    def test_routes(self, policy):
        groups = make_groups(policy, ({0}, set()))
        _, algorithm = make_sdpo(policy, route="success")
        rows, metrics = algorithm.assign(groups, step=1)
        assert [row.signal.prompt is None for row in rows] == [True, False, False, False] + [True] * 4
        assert [row.signal.share for row in rows] == [1.0, 0.0, 0.0, 0.0] + [1.0] * 4
        assert [row.forward for row in rows] == [True] * 4 + [False] * 4
        assert metrics["distilled_fraction"] == metrics["demonstration_fraction"] == 3 / 8

    def test_routed_failures_can_learn_by_both(self, policy):
        """What the successes give, and a part of what GRPO and SDPO each give to the failures."""
        groups = make_groups(policy, ({0}, {1, 2}))
        changes = {}
        for name, make, settings, chosen in (
            ("successes", make_grpo, {}, lambda row: row.episode.success),
            ("failures", make_grpo, {}, lambda row: not row.episode.success),
            ("distilled", make_sdpo, {}, lambda row: not row.episode.success),
            ("routed", make_sdpo, {"route": "success", "grpo_weight": 0.3}, lambda row: True),
        ):
            config, algorithm = make(policy, **settings)
            rows = [
                dataclasses.replace(row, forward=row.forward and chosen(row))
                for row in algorithm.assign(groups, step=1)[0]
            ]
            changes[name], _ = weights_after_update(policy, config, algorithm, rows)
        expected = changes["successes"] + 0.3 * changes["failures"] + 0.7 * changes["distilled"]
        torch.testing.assert_close(changes["routed"], expected, atol=1e-5, rtol=1e-3)

    def test_a_route_leaves_nothing_of_the_other_loss(self, policy):
        """With the teacher equal to the student there is nothing to distil: only the success moves the weights."""
        groups = make_groups(policy, ({0}, set()))
        config, algorithm = make_sdpo(policy, route="success", teacher="live")
        algorithm.targets = functools.partial(_without_contexts, algorithm, algorithm.targets)
        routed, _ = weights_after_update(policy, config, algorithm, algorithm.assign(groups, step=1)[0])
        config, algorithm = make_grpo(policy)
        rows, _ = algorithm.assign(groups, step=1)
        rows = [dataclasses.replace(row, forward=row.episode.success) for row in rows]
        expected, _ = weights_after_update(policy, config, algorithm, rows)
        torch.testing.assert_close(routed, expected, atol=1e-5, rtol=1e-3)


def _without_contexts(algorithm, targets, rows):
    """The teacher reads the student's prompt."""
    return targets(
        [
            dataclasses.replace(row, signal=row.signal._replace(prompt=row.signal.prompt and row.episode.prompt_ids))
            for row in rows
        ]
    )


def test_attempts_without_a_context_contribute_nothing(policy):
    """The second group has no success: with demonstrations only, it is as if it had not been sampled."""
    config, algorithm = make_sdpo(policy)
    groups = make_groups(policy, ({0}, set()))
    rows, metrics = algorithm.assign(groups, step=1)
    assert len(rows) == 4 and metrics["learned_fraction"] == 0.5
    alone, _ = algorithm.assign(groups[:1], step=1)
    change, _ = weights_after_update(policy, config, algorithm, rows)
    expected, _ = weights_after_update(policy, config, algorithm, alone)
    assert change.abs().max() > 0
    assert torch.equal(change, expected)


def test_feedback_that_is_cut_away_is_not_counted(policy):
    groups = make_groups(policy, ({0}, {1, 2}))
    fractions = {}
    for length in (10_000, 135):
        _, algorithm = make_sdpo(policy, context="both", max_reprompt_tokens=length)
        rows, metrics = algorithm.assign(groups, step=1)
        shown = [policy.tokenizer.decode(row.signal) for row in rows]
        assert metrics["feedback_fraction"] == np.mean(["An earlier attempt failed" in text for text in shown])
        fractions[length] = metrics["demonstration_fraction"], metrics["feedback_fraction"]
    assert fractions == {10_000: (1.0, 5 / 8), 135: (0.5, 0.0)}  # the second question is too long for that


def test_a_teachers_prompt_leaves_room_for_the_response(policy):
    policy.model.config.max_position_embeddings = 400
    _, algorithm = make_sdpo(policy, context="feedback")
    groups = make_groups(policy, (set(), set()), max_new_tokens=24)
    for episode in (episode for group in groups for episode in group):
        episode.turns[-1].feedback = "It is wrong. " * 100
    rows, _ = algorithm.assign(groups, step=1)
    assert len(rows) == 8
    for row in rows:
        assert 390 <= len(row.signal) + len(row.episode.continuation_ids) <= 400


@pytest.mark.parametrize(
    "settings",
    [
        {"top_k": 0, "divergence": "jsd"},
        {"top_k": 0, "divergence": "forward_kl", "teacher": "trust_region"},
        {"top_k": 256},  # none but the banned tokens are left for the tail
    ],
)
def test_tokens_that_the_model_rules_out_get_no_gradient(policy, settings):
    head = policy.model.get_output_embeddings()
    groups = make_groups(policy, ({0}, {1, 2}))
    sampled = {token for group in groups for episode in group for token in episode.continuation_ids}
    banned = [token for token in range(2, head.out_features) if token not in sampled][:10]
    biased = torch.nn.Linear(head.in_features, head.out_features).requires_grad_(False)
    biased.weight = head.weight
    biased.bias.copy_(torch.zeros(head.out_features).index_fill(0, torch.tensor(banned), -torch.inf))
    policy.model.set_output_embeddings(biased)
    policy.__dict__.pop("head_is_plain", None)
    config, algorithm = make_sdpo(policy, **settings)
    rows, _ = algorithm.assign(groups, step=1)
    metrics = make_updater(policy, config).update(algorithm, rows)
    assert metrics["skipped_updates"] == 0 and metrics["grad_norm"] > 0 and np.isfinite(metrics["loss"])


@pytest.mark.parametrize("make", [make_grpo, make_sdpo])
def test_a_batch_without_signal_changes_nothing(policy, make):
    config, algorithm = make(policy)
    rows, metrics = algorithm.assign(make_groups(policy, (set(), set())), step=1)
    change, updated = weights_after_update(policy, config, algorithm, rows)
    assert metrics["learned_fraction"] == 0.0 and "grad_norm" not in updated
    assert not change.any()


def test_responses_without_advantage_count_in_the_denominator(policy):
    """GRPO's mean is over all tokens, also those whose advantage is zero and which are not forwarded."""
    config, algorithm = make_grpo(policy)
    groups = make_groups(policy, ({0}, {0, 1, 2, 3}))
    rows, metrics = algorithm.assign(groups, step=1)
    assert metrics["learned_fraction"] == 0.5
    both, _ = weights_after_update(policy, config, algorithm, rows)
    one, _ = weights_after_update(policy, config, algorithm, algorithm.assign(groups[:1], step=1)[0])
    tokens = [sum(episode.num_response_tokens for episode in group) for group in groups]
    torch.testing.assert_close(both * sum(tokens) / tokens[0], one, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("divergence", ["reverse_kl", "forward_kl", "jsd"])
@pytest.mark.parametrize("top_k", [0, 5])
def test_a_teacher_that_sees_what_the_student_sees_has_loss_zero(policy, divergence, top_k):
    config, algorithm = make_sdpo(policy, divergence=divergence, top_k=top_k)
    rows, _ = algorithm.assign(make_groups(policy, ({0}, {1})), step=1)
    same = [Row(row.episode, row.episode.prompt_ids) for row in rows]
    _, metrics = weights_after_update(policy, config, algorithm, same)
    assert metrics["loss"] == pytest.approx(0.0, abs=1e-6)
    assert metrics["grad_norm"] == pytest.approx(0.0, abs=1e-4)
    _, taught = weights_after_update(policy, config, algorithm, rows)
    assert taught["loss"] > 1e-5


def test_tokens_that_the_policy_did_not_sample_get_no_loss(policy):
    """Two turns: the loss is that of the responses' tokens, read in place."""
    config, algorithm = make_grpo(policy)
    prompt, reply = policy.render([{"role": "user", "content": "?"}]), [20, 21, 22]
    turns = [Turn(prompt, [30, 31], [-5.0, -5.0], False, "a"), Turn(reply, [40, 41, 42], [-5.0] * 3, False, "b", 1.0)]
    row = Row(Episode("t", 0, (), turns, True), 0.5)
    assert row.episode.loss_mask == [True, True, False, False, False, True, True, True]
    seen = {}
    algorithm.token_losses = lambda batch, targets: (seen.update(batch=batch), (batch.logprobs * 0.0, {}))[1]
    make_updater(policy, config).update(algorithm, [row])
    logits = policy.model(torch.tensor([[*prompt, 30, 31, *reply, 40, 41, 42]])).logits[0].log_softmax(-1)
    places = [len(prompt) - 1, len(prompt)] + [len(prompt) + 4, len(prompt) + 5, len(prompt) + 6]
    expected = logits[places, [30, 31, 40, 41, 42]]
    torch.testing.assert_close(seen["batch"].logprobs, expected, atol=1e-4, rtol=1e-4)


def test_several_optimizer_steps_per_batch_use_old_logprobs(policy):
    config, algorithm = make_grpo(policy, minibatches=2)
    config.lr = 0.05
    rows, _ = algorithm.assign(make_groups(policy, ({0}, {1, 2})), step=1)
    updater = make_updater(policy, config)
    metrics = updater.update(algorithm, rows)
    assert updater.optimizer_steps == 2 and np.isfinite(metrics["loss"])
    for row in rows:  # those of the sampler, which had the same weights
        torch.testing.assert_close(row.old_logprobs, torch.tensor(row.episode.logprobs), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("settings", "clipped"),
    [({}, (0, 2, 3)), ({"ratio": "sequence", "aggregation": "sequence"}, (0, 2, 3)), ({"surrogate": "cispo"}, (0, 1))],
)
def test_tokens_far_from_the_old_policy_are_counted(policy, settings, clipped):
    """Of each group the first response has a positive advantage, the others a negative one."""
    config, algorithm = make_grpo(policy, **settings)
    rows, _ = algorithm.assign(make_groups(policy, ({0}, {0})), step=1)
    log_ratios = [math.log(ratio) for ratio in (2.0, 2.0, 0.5, 0.5, 1.2, 1.2, 0.9, 0.9)]
    for row, log_ratio in zip(rows, log_ratios, strict=True):
        row.old_logprobs = torch.tensor(row.episode.logprobs) - log_ratio  # the sampler had the weights of now
    _, metrics = weights_after_update(policy, config, algorithm, rows)
    tokens = [row.episode.num_response_tokens for row in rows]
    assert metrics["clipped"] == pytest.approx(sum(tokens[i] for i in clipped) / sum(tokens))
    distances = [count * abs(log_ratio) for count, log_ratio in zip(tokens, log_ratios, strict=True)]
    assert metrics["sampler_mismatch"] == pytest.approx(sum(distances) / sum(tokens), abs=1e-4)


def test_the_environment_of_a_launcher_does_not_change_an_update(policy, monkeypatch):
    """`accelerate launch` sets this, also from a configuration file that was written for something else."""
    config, algorithm = make_grpo(policy)
    rows, _ = algorithm.assign(make_groups(policy, ({0}, {1, 2})), step=1)
    norms = []
    for settings in ({}, {"ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "4"}):
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        updater = Updater.with_adamw(policy, config)
        config.lr = 0.0
        norms.append(updater.update(algorithm, rows)["grad_norm"])
    assert norms[0] == norms[1] > 0


@pytest.mark.parametrize("checkpointing", [False, True])
def test_ratios_are_one_until_the_policy_moves(checkpointing, tiny_model):
    """In low precision too, though layers that are computed again are not read with a cache."""
    config = GRPOConfig(
        device="cpu", precision="bf16", lr=0.0, minibatches=2, max_grad_norm=1e9, gradient_checkpointing=checkpointing
    )
    policy = load_trainable(str(tiny_model), config)
    policy.takes_tree_rows = False
    algorithm = GRPO(config, policy)
    rows, _ = algorithm.assign(make_groups(policy, ({0}, {1, 2}), max_new_tokens=24), step=1)
    ratios, losses = [], algorithm.token_losses

    def token_losses(batch, targets):
        ratios.append((batch.logprobs.detach() - batch.old_logprobs).exp())
        return losses(batch, targets)

    algorithm.token_losses = token_losses
    Updater.with_adamw(policy, config).update(algorithm, rows)
    assert len(ratios) == 2
    torch.testing.assert_close(torch.cat(ratios), torch.ones(len(torch.cat(ratios))), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("make", "settings", "successes", "steps"),
    [
        (make_sdpo, {"context": "feedback"}, ({0}, set()), [("0", 3), ("1", 4)]),
        (make_sdpo, {"context": "feedback"}, ({0, 1, 2, 3}, {3}), [("1", 3)]),
        (make_sdpo, {}, (set(), {3}), [("1", 4)]),
        (make_grpo, {"skip_truncated": True}, ({0}, {2}), [("0", 2), ("1", 4)]),
    ],
)
def test_minibatches_are_parts_of_the_whole_batch(policy, make, settings, successes, steps):
    """However few attempts are learned from: here two parts, which are the two tasks."""
    config, algorithm = make(policy, minibatches=2, **settings)
    groups = make_groups(policy, successes)
    for group in groups:
        for i, episode in enumerate(group):
            episode.turns[0].truncated = group is groups[0] and i in (1, 2)
    rows, _ = algorithm.assign(groups, step=1)
    seen, losses = [], algorithm.token_losses

    def token_losses(batch, targets):
        (task,) = {row.episode.task for row in batch.rows}
        seen.append((task, len(batch.rows)))
        return losses(batch, targets)

    algorithm.token_losses = token_losses
    updater = make_updater(policy, config)
    updater.update(algorithm, rows, [episode for group in groups for episode in group])
    assert seen == steps and updater.optimizer_steps == len(steps)


def test_a_gradient_that_is_not_finite_is_dropped(policy):
    config, algorithm = make_grpo(policy)
    rows, _ = algorithm.assign(make_groups(policy, ({0}, {1, 2})), step=1)
    losses = algorithm.token_losses
    algorithm.token_losses = lambda batch, targets: (losses(batch, targets)[0] * torch.nan, {})
    change, metrics = weights_after_update(policy, config, algorithm, rows)
    assert metrics["skipped_updates"] == 1 and not change.any()


def test_the_moving_average_follows_the_student(policy):
    weight = next(policy.model.parameters())
    start = weight.detach().clone()
    followers = {rate: ReferenceWeights(policy.model, rate) for rate in (0.0, 0.25, 1.0)}
    with torch.no_grad():
        weight += 1.0
    for rate, follower in followers.items():
        follower.update()
        with follower.applied():
            torch.testing.assert_close(weight.detach(), start + rate)
    assert torch.equal(weight.detach(), start + 1.0)


def test_the_teacher_follows_once_per_rollout_batch(policy):
    config, algorithm = make_sdpo(policy, minibatches=4)
    config.lr = 0.01
    rows, _ = algorithm.assign(make_groups(policy, ({0}, {1, 2})), step=1)
    calls = []
    algorithm.teacher.update = lambda: calls.append(1)
    updater = make_updater(policy, config)
    updater.update(algorithm, rows)
    assert updater.optimizer_steps == 4 and len(calls) == 1
    updater.update(algorithm, [])
    assert len(calls) == 1


@pytest.mark.parametrize("dropped", ["0", "1"])
def test_the_teacher_follows_where_one_of_the_steps_is_dropped(policy, dropped):
    config, algorithm = make_sdpo(policy, minibatches=2)
    rows, _ = algorithm.assign(make_groups(policy, ({0}, {1, 2})), step=1)
    losses, calls = algorithm.token_losses, []

    def token_losses(batch, targets):
        factor = torch.nan if batch.rows[0].episode.task == dropped else 1.0
        return losses(batch, targets)[0] * factor, {}

    algorithm.token_losses = token_losses
    algorithm.teacher.update = lambda: calls.append(1)
    updater = make_updater(policy, config)
    metrics = updater.update(algorithm, rows)
    assert (updater.optimizer_steps, metrics["skipped_updates"], len(calls)) == (1, 1, 1)
