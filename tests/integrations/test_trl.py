"""TRL's trainers on our environments: the real package, a tiny model with random weights, a few steps on the CPU."""

import json
import math
import os

import pytest
import toy_env
from conftest import save_tiny_model

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
pytest.importorskip("trl", reason="TRL is not installed: pip install -e '.[trl]'")

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM, TrainerCallback
from trl import GRPOConfig, GRPOTrainer
from trl.experimental.sdpo import SDPOConfig, SDPOTrainer

from sdpo_gym.integrations.trl import EnvironmentReward, make_dataset, make_environment_factory
from sdpo_gym.integrations.trl_sdpo import FeedbackTeacherContext

EVEN = "toy_env:toy/Even-v0"
ECHO = "toy_env:toy/Echo-v0"
SHARED = {
    "per_device_train_batch_size": 4,
    "num_generations": 4,
    "max_completion_length": 8,
    "learning_rate": 1e-3,
    "use_cpu": True,
    "report_to": [],
    "logging_steps": 1,
    "save_strategy": "no",
    "disable_tqdm": True,
}


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def tokenizer(tiny_model):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.pad_token = "<|im_start|>"
    return tokenizer


def load(folder, model_type=AutoModelForCausalLM):
    return model_type.from_pretrained(folder)


def logged(trainer, key):
    return [record[key] for record in trainer.state.log_history if key in record]


class Recorder:
    """The completions and rewards that pass through a reward function."""

    def __init__(self, reward):
        self.reward, self.__name__ = reward, reward.__name__
        self.completions, self.rewards = [], []

    def __call__(self, completions, **columns):
        rewards = self.reward(completions=completions, **columns)
        self.completions += completions
        self.rewards += rewards
        return rewards


def test_the_data_set_holds_questions_and_no_answers():
    dataset = make_dataset(EVEN)
    assert dataset.column_names == ["prompt", "task_id", "seed"]
    assert dataset["task_id"] == list(toy_env.WORDS)
    assert dataset[1]["prompt"] == [{"role": "user", "content": "Say beta."}]
    assert make_dataset(EVEN, count=2, first=1)["task_id"] == list(toy_env.WORDS[1:3])


def test_rewards_and_feedback_of_texts_and_of_chats():
    reward = EnvironmentReward(EVEN)
    extra, metrics = {}, {}
    rewards = reward(
        completions=["xx", [{"role": "assistant", "content": "x"}]],
        task_id=["alpha", "beta"],
        seed=[0, 1],
        log_extra=extra.__setitem__,
        log_metric=metrics.__setitem__,
    )
    assert rewards == [1.0, 0.0]
    assert reward.feedback == extra["feedback"] == ["", "The response has 1 characters, an odd number."]
    assert metrics == {"success": 0.5}
    call_alone = [{"role": "assistant", "tool_calls": []}]
    assert reward(completions=[call_alone], task_id=["alpha"], seed=[0]) == [1.0]  # an empty response
    reward.close()


def test_grpo_trains_on_an_environment(tiny_model, tokenizer, tmp_path):
    reward = Recorder(EnvironmentReward(EVEN))
    model = load(tiny_model)
    before = model.lm_head.weight.detach().clone()
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=reward,
        args=GRPOConfig(str(tmp_path), max_steps=3, **SHARED),
        train_dataset=make_dataset(EVEN),
        processing_class=tokenizer,
    )
    trainer.train()

    assert len(reward.completions) == 12
    expected = [float(len(completion[0]["content"]) % 2 == 0) for completion in reward.completions]
    assert reward.rewards == expected and len(set(expected)) == 2
    assert sum(logged(trainer, "rewards/Even-v0/mean")) / 3 == pytest.approx(sum(expected) / 12)
    assert logged(trainer, "success") == pytest.approx(logged(trainer, "rewards/Even-v0/mean"))
    assert not torch.equal(before, trainer.accelerator.unwrap_model(trainer.model).lm_head.weight)


def sdpo_trainer(tiny_model, tokenizer, folder, env_id, **options):
    reward = EnvironmentReward(env_id)
    args = SDPOConfig(str(folder), **SHARED, max_steps=2, max_prompt_length=None, **options)
    trainer = SDPOTrainer(
        model=load(tiny_model),
        reward_funcs=reward,
        args=args,
        train_dataset=make_dataset(env_id),
        processing_class=tokenizer,
    )
    return trainer, reward


class Contexts(TrainerCallback):
    """Keeps the prompts that the teacher was given, each with the response."""

    def __init__(self, tokenizer):
        self.tokenizer, self.texts, self.masks = tokenizer, [], []

    def on_teacher_context_built(
        self, args, state, control, *, teacher_input_ids, teacher_attention_mask, self_distillation_mask, **_
    ):
        for ids, mask in zip(teacher_input_ids, teacher_attention_mask, strict=True):
            self.texts.append(self.tokenizer.decode(ids[mask.bool()]))
        self.masks += self_distillation_mask.tolist()


def test_sdpo_shows_its_teacher_the_feedback_on_each_response(tiny_model, tokenizer, tmp_path):
    trainer, reward = sdpo_trainer(tiny_model, tokenizer, tmp_path, ECHO, include_environment_feedback=True)
    trainer.teacher_context_builder = FeedbackTeacherContext(trainer, reward)
    contexts = Contexts(tokenizer)
    trainer.add_callback(contexts)
    trainer.train()

    assert contexts.masks == [1.0] * 8
    # The environment quotes the response: what follows "You said" in a teacher's prompt is that row's own response.
    quoted = [text.split("You said ")[1] for text in contexts.texts]
    responses = [text.rpartition("<|im_start|>assistant\n")[2].removesuffix("<|im_end|>") for text in contexts.texts]
    assert len(set(responses)) > 1
    for quote, response in zip(quoted, responses, strict=True):
        assert quote.startswith(response.replace("<|im_start|>", ""))
    assert logged(trainer, "self_distillation/feedback_used_fraction") == [1.0, 1.0]
    assert all(math.isfinite(loss) and loss != 0.0 for loss in logged(trainer, "loss"))


def test_without_the_builder_sdpo_sees_no_feedback(tiny_model, tokenizer, tmp_path):
    trainer, _ = sdpo_trainer(tiny_model, tokenizer, tmp_path, ECHO, include_environment_feedback=True)
    trainer.train()
    assert logged(trainer, "self_distillation/feedback_used_fraction") == [0.0, 0.0]


def test_the_feedback_builder_refuses_a_trainer_that_would_ignore_it(tiny_model, tokenizer, tmp_path):
    trainer, reward = sdpo_trainer(tiny_model, tokenizer, tmp_path, EVEN)
    with pytest.raises(ValueError, match="include_environment_feedback"):
        FeedbackTeacherContext(trainer, reward)
    with pytest.raises(ValueError, match="without this reward function"):
        FeedbackTeacherContext(trainer, EnvironmentReward(EVEN))


class ScriptedModel(LlamaForCausalLM):
    """Says what the script says, turn by turn; learns as any other model."""

    script: tuple[str, ...] = ()
    tokenizer = None
    turn = 0
    prompts: list = []  # noqa: RUF012

    def generate(self, input_ids, **_):
        text = self.script[self.turn % len(self.script)]
        type(self).turn += 1
        self.prompts.append(self.tokenizer.decode(input_ids[0]))
        ids = torch.tensor(self.tokenizer(text + "<|im_end|>")["input_ids"])
        return torch.cat([input_ids, ids.expand(len(input_ids), -1)], dim=1)


def submit(response):
    call = {"name": "submit", "arguments": {"response": response}}
    return f"<tool_call>\n{json.dumps(call)}\n</tool_call>"


@pytest.fixture
def scripted(tiny_model, tokenizer, tmp_path):
    from trl.chat_template_utils import qwen3_instruct_2507_chat_template

    tokenizer.chat_template = qwen3_instruct_2507_chat_template

    def train(script, env_id=EVEN, **env_args):
        ScriptedModel.script, ScriptedModel.tokenizer = script, tokenizer
        ScriptedModel.turn, ScriptedModel.prompts = 0, []
        options = SHARED | {"max_completion_length": 600}
        trainer = GRPOTrainer(
            model=load(tiny_model, ScriptedModel),
            args=GRPOConfig(str(tmp_path), max_steps=1, **options),
            train_dataset=make_dataset(env_id),
            environment_factory=make_environment_factory(env_id, env_args),
            processing_class=tokenizer,
        )
        trainer.train()
        return trainer

    return train


def test_grpo_plays_several_attempts(scripted):
    trainer = scripted((submit("odd"), submit("even"), "Done."), max_turns=3)
    assert logged(trainer, "reward") == [1.0]
    assert logged(trainer, "tools/failure_frequency") == [0.0]
    assert "The response has 3 characters, an odd number." in ScriptedModel.prompts[1]
    assert "That is correct." in ScriptedModel.prompts[2]


def test_a_row_of_another_data_set_is_refused():
    attempts = make_environment_factory("toy_env:toy/Plain-v0")()
    with pytest.raises(ValueError, match="poses 'seed 5'; was the data set made with other arguments"):
        attempts.reset(task_id="seed 4", seed=5)


def test_an_attempt_after_the_last_one_does_not_count(scripted):
    trainer = scripted((submit("odd"), submit("even"), "Done."), max_turns=1)
    assert logged(trainer, "reward") == [0.0]
    assert "no further response is taken" in ScriptedModel.prompts[2]


@pytest.mark.parametrize("response", [12, None, ["even"], {"a": 1}])
def test_a_response_that_is_no_text_is_not_an_attempt(scripted, response):
    trainer = scripted((submit(response), submit("even"), "Done."), max_turns=1)
    assert "must be a text" in ScriptedModel.prompts[1]
    assert logged(trainer, "reward") == [1.0]


@pytest.mark.parametrize("rewards", [(1.0, 0.0), (0.5, 0.5)])
def test_the_reward_is_the_sum_of_the_responses_rewards(rewards):
    moves = {"env_id": "toy_env:toy/Moves-v0", "env_args": {"rewards": rewards}}
    [row] = make_dataset(**moves, count=1)
    attempts = make_environment_factory(**moves)()
    for _ in range(2):
        attempts.reset(**row)
        assert attempts.get_reward() == 0.0
        assert attempts.submit("go") == "1 left"
        assert attempts.submit("go") == "That is correct."
        assert attempts.get_reward() == 1.0


def test_a_rollout_without_an_attempt_earns_nothing(scripted):
    assert logged(scripted(("even",)), "reward") == [0.0]


def test_a_failure_of_the_judging_stops_the_training(scripted, monkeypatch):
    def fail(self, task, response):
        raise OSError("the sandbox is gone")

    monkeypatch.setattr(toy_env.LengthVerifier, "verify", fail)
    with pytest.raises(RuntimeError, match="could not be judged"):
        scripted((submit("odd"), "Done."))
