"""Small runs and updates, for the tests of the agents."""

import json

import torch
import toy_env  # noqa: F401

from agents.episode import Episode, Turn
from agents.grpo.__main__ import main as grpo
from agents.grpo.config import GRPOConfig
from agents.sampling.engine import SamplingParameters
from agents.sampling.transformers_engine import TransformersEngine
from agents.sdpo.__main__ import main as sdpo
from agents.sdpo.config import SDPOConfig
from agents.update import Updater

SMALL = {
    "env": "toy/Even-v0",
    "tasks_per_step": 2,
    "group_size": 4,
    "max_new_tokens": 8,
    "steps": 2,
    "lr": 1e-3,
    "eval_tasks": 2,
    "eval_samples": 2,
    "eval_every": 1,
    "device": "cpu",
    "precision": "fp32",
}
ALGORITHMS = {"grpo": (GRPOConfig, grpo), "sdpo": (SDPOConfig, sdpo)}


def run(algorithm, tiny_model, output, **settings):
    config_type, main = ALGORITHMS[algorithm]
    main(config_type(**SMALL | {"model": str(tiny_model), "output": output} | settings))
    return output


def records(folder, name):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def contents(folder, weights="model.safetensors"):
    """What a run leaves, without what depends on the clock."""
    metrics = [
        {name: value for name, value in record.items() if not name.endswith("_seconds")}
        for record in records(folder, "metrics.jsonl")
    ]
    data = (folder / "checkpoint" / weights).read_bytes()
    return metrics, (folder / "rollouts.jsonl").read_text(), data


QUESTIONS = ("What is it?", "And what is that, in other words?")


def make_groups(policy, successes, max_new_tokens=8):
    """One group per question, sampled, of which the attempts with these indices are called successful."""
    messages = [({"role": "user", "content": question},) for question in QUESTIONS]
    prompts = [policy.render(m) for m in messages]
    responses = TransformersEngine(policy).sample(prompts, 4, SamplingParameters(max_new_tokens), range(len(prompts)))
    groups = []
    for number, (prompt, group) in enumerate(zip(prompts, responses, strict=True)):
        episodes = []
        for i, response in enumerate(group):
            success = i in successes[number]
            turn = Turn(
                prompt,
                response.token_ids,
                response.logprobs,
                response.truncated,
                policy.decode(response.token_ids),
                float(success),
                "" if success else f"attempt {i} is wrong",
            )
            episodes.append(Episode(str(number), number, messages[number], [turn], success))
        groups.append(episodes)
    return groups


def make_updater(policy, config):
    optimizer = torch.optim.SGD(policy.model.parameters(), lr=1.0)
    return Updater(policy, optimizer, config)
