"""What is written down of the tokens' credit, and that writing it down changes nothing."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from training import contents, make_groups, make_updater, run

from agents.credit import CreditRecorder, token_texts
from agents.grpo.algorithm import GRPO
from agents.grpo.config import GRPOConfig
from agents.policy.load import load_policy
from agents.policy.next_tokens import next_tokens
from agents.runs.load import load_run
from agents.sdpo.algorithm import make_sdpo
from agents.sdpo.config import SDPOConfig

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("algorithm", "variant"),
    [
        ("sdpo", {"context": "both", "minibatches": 2}),
        ("sdpo", {"grpo_weight": 0.5}),
        ("sdpo", {"env": "toy/Rare-v0", "context": "feedback", "env_arg": ["modulus=3", "max_turns=2"], "top_k": 0}),
        ("grpo", {"env": "toy/Rare-v0", "env_arg": ["modulus=3", "max_turns=2"]}),
    ],
)
def test_a_run_is_the_same_with_and_without(algorithm, variant, tiny_model, tmp_path):
    variant = variant | {"seed": 1} | ({"preflight_tasks": 0} if algorithm == "sdpo" else {})
    recorded = run(algorithm, tiny_model, tmp_path / "recorded", credit_samples=5, **variant)
    plain = run(algorithm, tiny_model, tmp_path / "plain", credit_samples=0, **variant)
    assert contents(recorded) == contents(plain)
    assert not (plain / "credit.jsonl").exists()
    found = load_run(recorded)
    rollouts = {rollout["id"]: rollout for rollout in found.rollouts}
    assert {record["step"] for record in found.credit} <= {1, 2} and 0 < len(found.credit) <= 2 * 5
    for record in found.credit:
        turns = rollouts[record["rollout"]]["turns"]
        assert len(record["tokens"]) == len(record["student"]) == sum(turn["tokens"] for turn in turns)
        assert "".join(record["tokens"]) == "".join(turn["response"] for turn in turns)
        assert ("teacher" in record) == ("context" in record) and ("advantage" in record or "teacher" in record)


def recorded(policy, config, algorithm, groups, samples):
    recorder = CreditRecorder(policy, samples)
    rows, _ = algorithm.assign(groups, step=1)
    updater = make_updater(policy, config)
    updater.recorder = recorder
    episodes = [episode for group in groups for episode in group]
    recorder.choose(rows, episodes)
    updater.update(algorithm, rows)
    return [(episodes[place], record) for place, record in sorted(recorder.take(), key=lambda kept: kept[0])], rows


def test_sdpo_records_student_teacher_and_alternatives(policy):
    config = SDPOConfig(teacher="frozen", lr=0.0, micro_batch_tokens=200, top_k=20)
    algorithm = make_sdpo(config, policy, Console(quiet=True))
    kept, rows = recorded(policy, config, algorithm, make_groups(policy, ({0}, {1, 2})), 4)
    assert len(kept) == 4
    prompts = {id(row.episode): row.signal for row in rows}
    for episode, record in kept:
        (turn,) = episode.turns
        ids = torch.tensor(turn.response_ids)
        expected = {}
        for who, prompt in (("student", turn.context_ids), ("teacher", prompts[id(episode)])):
            logits = next_tokens(policy, [prompt], [turn.response_ids]).logits().detach()
            expected[who] = logits.log_softmax(-1)
            logprobs = expected[who].gather(-1, ids[:, None]).squeeze(-1)
            torch.testing.assert_close(torch.tensor(record[who]), logprobs, atol=1e-3, rtol=1e-3)
        assert record["context"] == policy.tokenizer.decode(prompts[id(episode)])
        p, q = expected["student"].exp(), expected["teacher"].exp()
        top = p.topk(20, dim=-1).indices
        for position, alternatives in enumerate(record["alternatives"]):
            likeliest = torch.maximum(p, q)[position, top[position]].topk(5).values
            numbers = torch.tensor([max(mine, theirs) for _, mine, theirs in alternatives])
            torch.testing.assert_close(numbers, likeliest, atol=2e-4, rtol=0)


def test_alternatives_that_neither_thinks_possible_are_left_out(policy):
    with torch.no_grad():
        policy.model.get_output_embeddings().weight *= 100  # nearly sure of its tokens
    config = SDPOConfig(teacher="frozen", lr=0.0, top_k=20)
    algorithm = make_sdpo(config, policy, Console(quiet=True))
    kept, _ = recorded(policy, config, algorithm, make_groups(policy, ({0}, {1, 2})), 4)
    positions = [position for _, record in kept for position in record["alternatives"]]
    assert {len(position) for position in positions} & {1, 2, 3, 4}
    assert min(max(mine, theirs) for position in positions for _, mine, theirs in position) >= 1e-3


def test_grpo_records_the_advantage(policy):
    config = GRPOConfig(lr=0.0)
    algorithm = GRPO(config, policy)
    kept, _ = recorded(policy, config, algorithm, make_groups(policy, ({0}, {0, 1, 2, 3})), 10)
    assert [record["advantage"] for _, record in kept] == [0.75, -0.25, -0.25, -0.25]  # the second group has none
    assert not any("teacher" in record for _, record in kept)


def test_a_few_are_chosen_evenly_among_those_that_are_learned_from(policy):
    config = GRPOConfig(lr=0.0)
    groups = make_groups(policy, (set(), {1}))
    groups += [[dataclasses.replace(episode) for episode in group] for group in groups]
    kept, rows = recorded(policy, config, GRPO(config, policy), groups, 3)
    learned = [row.episode for row in rows if row.forward]
    assert len(learned) == 8 and [episode for episode, _ in kept] == [learned[i] for i in (0, 2, 5)]


@pytest.fixture(scope="module")
def tokenizing(tiny_model):
    return load_policy(str(tiny_model), device="cpu", precision="fp32")


@settings(max_examples=60)
@given(text=st.text(max_size=80), cut=st.integers(0, 3))
def test_texts_of_tokens_make_the_response(text, cut, tokenizing):
    """Bytes as tokens: every other character takes several of them, and the last one may be incomplete."""
    ids = tokenizing.tokenizer(text, add_special_tokens=False)["input_ids"]
    ids = ids[: len(ids) - cut]
    texts = token_texts(tokenizing, ids)
    assert len(texts) == len(ids) and "".join(texts) == tokenizing.decode(ids)


@settings(max_examples=60)
@given(ids=st.lists(st.integers(0, 257), max_size=80))
def test_also_of_tokens_that_are_no_text(ids, tokenizing):
    texts = token_texts(tokenizing, ids)
    assert len(texts) == len(ids) and "".join(texts) == tokenizing.decode(ids)


def test_a_character_belongs_to_the_token_that_ends_it(tokenizing):
    ids = tokenizing.tokenizer("aé€b", add_special_tokens=False)["input_ids"]
    assert token_texts(tokenizing, ids) == ["a", "", "é", "", "", "€", "b"]
