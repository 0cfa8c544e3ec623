"""verl: the reward function, the Parquet file and the agent loop, with the parts of verl that need no GPU."""

import asyncio
import json
import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import toy_env
from conftest import save_tiny_model

from sdpo_gym.integrations.parquet import write_parquet
from sdpo_gym.integrations.verl import compute_score

EXAMPLES = Path(__file__).parents[2] / "examples" / "trainers"
EVEN = "toy_env:toy/Even-v0"


def extra_info(env_id=EVEN, task_id="alpha", **env_args):
    return {"env_id": env_id, "env_args": json.dumps(env_args), "task_id": task_id, "seed": 0}


def test_a_score_comes_with_feedback():
    good = compute_score(data_source=EVEN, ground_truth="alpha", solution_str="xx", extra_info=extra_info())
    bad = compute_score(data_source=EVEN, ground_truth="alpha", solution_str="x", extra_info=extra_info())
    assert good == {"score": 1.0, "acc": 1.0, "feedback": ""}
    assert bad == {"score": 0.0, "acc": 0.0, "feedback": "The response has 1 characters, an odd number."}


def test_scores_of_real_programs():
    info = extra_info("sdpo/LiveCodeBench-v0", "is-palindrome", difficulty="trivial")
    program = "```python\ndef {name}(s):\n    return s == s[::-1]\n```"
    good = compute_score(solution_str=program.format(name="is_palindrome"), extra_info=info)
    bad = compute_score(solution_str=program.format(name="other"), extra_info=info)
    assert good["score"] == 1.0
    assert bad["score"] == 0.0 and "is_palindrome" in bad["feedback"]


def test_threads_may_score_at_the_same_time():
    with ThreadPoolExecutor(16) as threads:
        scores = list(threads.map(lambda n: compute_score(solution_str="x" * n, extra_info=extra_info()), range(64)))
    assert [score["acc"] for score in scores] == [float(n % 2 == 0) for n in range(64)]


def test_a_row_for_other_tasks_is_refused():
    with pytest.raises(ValueError, match="omega"):
        compute_score(solution_str="x", extra_info=extra_info(task_id="omega"))


# The rest needs verl.


@pytest.fixture(scope="module")
def verl():
    return pytest.importorskip("verl", reason="verl is not installed; docs/integrations/trainers.md says how")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    tokenizer = transformers.AutoTokenizer.from_pretrained(save_tiny_model(tmp_path_factory.mktemp("model")))
    tokenizer.pad_token = "<|im_start|>"
    return tokenizer


def test_verl_reads_the_file_and_its_reward_manager_scores_it(verl, tokenizer, tmp_path):
    import numpy as np
    import torch
    from omegaconf import OmegaConf
    from verl import DataProto
    from verl.experimental.reward_loop.reward_manager.naive import NaiveRewardManager
    from verl.trainer.ppo.reward import get_custom_reward_fn
    from verl.utils.dataset.rl_dataset import RLHFDataset

    path = tmp_path / "train.parquet"
    write_parquet(path, EVEN)
    config = OmegaConf.create({"cache_dir": str(tmp_path), "filter_overlong_prompts": False})
    dataset = RLHFDataset(str(path), tokenizer, config)
    row = dataset[2]
    assert list(row["raw_prompt"]) == [{"role": "user", "content": "Say gamma."}]

    function = {"path": "pkg://sdpo_gym.integrations.verl", "name": "compute_score"}
    reward = get_custom_reward_fn(OmegaConf.create({"reward": {"custom_reward_function": function}}))
    ids = torch.tensor([tokenizer("odd<|im_end|>")["input_ids"]])
    keys = ("data_source", "reward_model", "extra_info")
    data = DataProto.from_dict(
        tensors={"responses": ids, "attention_mask": torch.ones_like(ids)},
        non_tensors={key: np.array([row[key]], dtype=object) for key in keys},
    )

    async def score():
        return await NaiveRewardManager(OmegaConf.create({}), tokenizer, reward).run_single(data)

    result = asyncio.run(score())
    assert result["reward_score"] == 0.0
    assert result["reward_extra_info"]["feedback"] == "The response has 3 characters, an odd number."


def test_verl_accepts_the_settings_of_the_example(verl, monkeypatch):
    import hydra
    from omegaconf import OmegaConf
    from verl.trainer.ppo.reward import get_custom_reward_fn
    from verl.utils.config import validate_config

    monkeypatch.chdir(EXAMPLES)
    script = (EXAMPLES / "verl_grpo.sh").read_text().replace("$here/", "")
    settings = [word for word in shlex.split(script, comments=True) if re.match(r"[\w.]+\.\w+=", word)]
    assert len(settings) > 15
    with hydra.initialize_config_module("verl.trainer.config", version_base=None):
        config = hydra.compose("ppo_trainer", overrides=settings)
    validate_config(config, use_reference_policy=False, use_critic=False)
    good = get_custom_reward_fn(config)(solution_str="xx", extra_info=extra_info())
    assert good["score"] == 1.0
    [loop] = OmegaConf.load(config.actor_rollout_ref.rollout.agent.agent_loop_config_path)
    assert loop.name == "sdpo_gym" and hydra.utils.get_class(loop._target_).__name__ == "EnvironmentAgentLoop"


class Server:
    """Says what the script says, as verl's language model server would."""

    def __init__(self, tokenizer, script, with_logprobs=True):
        self.tokenizer, self.script, self.with_logprobs = tokenizer, list(script), with_logprobs
        self.prompts, self.request_ids = [], set()

    async def generate(self, request_id, *, prompt_ids, sampling_params, **_):
        from verl.workers.rollout.replica import TokenOutput

        self.request_ids.add(request_id)
        self.prompts.append(self.tokenizer.decode(prompt_ids))
        ids = self.tokenizer(self.script.pop(0) + "<|im_end|>")["input_ids"]
        return TokenOutput(token_ids=ids, log_probs=[-0.5] * len(ids) if self.with_logprobs else None)


@pytest.fixture
def play(verl, tokenizer):
    import hydra
    from omegaconf import OmegaConf
    from verl.experimental.agent_loop.agent_loop import DictConfigWrap
    from verl.utils.dataset.rl_dataset import RLHFDataset

    def play(script, max_turns=1, response_length=500, with_logprobs=True, row=None):
        rollout = {"prompt_length": 200, "response_length": response_length}
        config = OmegaConf.create({"actor_rollout_ref": {"rollout": rollout}, "data": {}})
        server = Server(tokenizer, script, with_logprobs)

        async def run():
            loop = hydra.utils.instantiate(
                {"_target_": "sdpo_gym.integrations.verl_agent_loop.EnvironmentAgentLoop"},
                trainer_config=DictConfigWrap(config),
                server_manager=server,
                tokenizer=tokenizer,
                processor=None,
                dataset_cls=RLHFDataset,
                data_config=DictConfigWrap(config.data),
                hf_model_type="qwen3",
            )
            return await loop.run(
                {"temperature": 1.0},
                raw_prompt=[{"role": "user", "content": "Say alpha."}],
                data_source="ignored",
                extra_info=row or extra_info(max_turns=max_turns),
                index=0,
            )

        return asyncio.run(run()), server

    return play


@pytest.mark.parametrize("with_logprobs", [True, False])
def test_the_agent_loop_plays_until_a_success(play, tokenizer, with_logprobs):
    output, server = play(["odd", "even", "never said"], 5, with_logprobs=with_logprobs)
    feedback = "The response has 3 characters, an odd number."
    assert tokenizer.decode(output.prompt_ids) == ("<|im_start|>user\nSay alpha.<|im_end|>\n<|im_start|>assistant\n")
    assert tokenizer.decode(output.response_ids) == (
        f"odd<|im_end|>\n<|im_start|>user\n{feedback}<|im_end|>\n<|im_start|>assistant\neven<|im_end|>"
    )
    learned = [token for token, mask in zip(output.response_ids, output.response_mask, strict=True) if mask]
    assert tokenizer.decode(learned) == "odd<|im_end|>even<|im_end|>"
    assert output.reward_score == 1.0 and output.num_turns == 4
    assert output.extra_fields["turn_scores"] == [0.0, 1.0]
    assert output.extra_fields["reward_extra_info"] == {"score": 1.0, "acc": 1.0, "feedback": ""}
    assert len(server.request_ids) == 1
    if with_logprobs:
        assert output.response_logprobs == [-0.5 * mask for mask in output.response_mask]
    else:
        assert output.response_logprobs is None


@pytest.mark.parametrize("rewards", [(1.0, 0.0), (0.5, 0.5)])
def test_the_score_is_the_sum_of_the_responses_rewards(play, rewards):
    output, _ = play(["go", "go"], row=extra_info("toy_env:toy/Moves-v0", "seed 0", rewards=rewards))
    assert output.reward_score == output.extra_fields["reward_extra_info"]["score"] == 1.0
    assert output.extra_fields["turn_scores"] == list(rewards)
    assert output.extra_fields["reward_extra_info"]["acc"] == 1.0


def test_the_environment_is_closed_whatever_fails(play):
    slow = extra_info("toy_env:toy/Slow-v0", "seed 0")
    with pytest.raises(IndexError):  # the model's server has nothing more to say
        play(["go"], row=slow)
    assert toy_env.SlowEnv.open == []
    with pytest.raises(ValueError, match="poses 'seed 0'"):
        play(["go"], row=slow | {"task_id": "seed 1"})
    assert toy_env.SlowEnv.open == []


def test_the_last_feedback_is_kept_though_nobody_reads_it(play):
    output, server = play(["odd", "odd"], 2)
    assert output.reward_score == 0.0 and len(server.prompts) == 2
    assert "an odd number" in output.extra_fields["reward_extra_info"]["feedback"]


def test_the_agent_loop_keeps_to_the_response_length(play, tokenizer):
    output, _ = play(["odd", "even"], 5, response_length=6)
    assert tokenizer.decode(output.response_ids) == "odd<|im_end|>"
    assert output.response_mask == [1, 1, 1, 1]
    cut, _ = play(["x" * 11, "even"], 5, response_length=6)
    assert len(cut.response_ids) == len(cut.response_mask) == len(cut.response_logprobs) == 6
