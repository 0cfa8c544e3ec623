"""Sampling engines: whichever it is, it draws from the policy as it is now, and says with which log-probs."""

import dataclasses
import importlib.util
import itertools

import pytest
import torch
import toy_env  # noqa: F401
from conftest import save_tiny_model, tiny_gemma3
from launching import launch
from sampled import disturb, largest_difference, prompts_of
from training import SMALL, contents, records, run
from transformers import BloomConfig, BloomForCausalLM, MambaConfig, MambaForCausalLM
from vllm_server import VLLMServer

import agents.sampling.vllm_server_engine
from agents.config import SamplingConfig
from agents.environments import Environments, Start
from agents.errors import UsageError
from agents.policy.load import load_policy
from agents.policy.lora import add_adapters, merged_weights
from agents.policy.next_tokens import next_tokens
from agents.processes import Processes
from agents.rollouts import collect_groups
from agents.sampling.continuous_engine import ContinuousEngine
from agents.sampling.engine import SamplingParameters
from agents.sampling.factory import make_engine
from agents.sampling.transformers_engine import TransformersEngine
from agents.sampling.vllm_server_engine import VLLMServerEngine

pytestmark = pytest.mark.usefixtures("one_thread")

HAS_VLLM = importlib.util.find_spec("vllm") is not None
ENGINES = ["transformers", "continuous", "vllm-server"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(agents.sampling.vllm_server_engine, "FIRST_WAIT", 0.001)


@pytest.fixture
def server(tiny_model):
    with VLLMServer(tiny_model) as server:
        yield server


@pytest.fixture(params=ENGINES)
def config(request, tmp_path):
    """Settings for each engine."""
    places = {}
    if request.param == "vllm-server":
        places = {"engine_url": request.getfixturevalue("server").url, "engine_folder": tmp_path / "weights"}
    return SamplingConfig(engine=request.param, sampling_rows=6, **places)


@pytest.mark.parametrize("top_p", [1.0, 0.8])
def test_logprobs_are_those_of_the_distribution_that_was_drawn_from(config, policy, top_p):
    prompts = prompts_of(policy, "one", "another, longer question", "one")
    parameters = SamplingParameters(24, temperature=0.7, top_p=top_p)
    engine = make_engine(policy, config)
    groups = engine.sample(prompts, 4, parameters, range(len(prompts)))
    assert [len(group) for group in groups] == [4, 4, 4]
    assert largest_difference(policy, prompts, groups, parameters) < 1e-4
    responses = [response for group in groups for response in group]
    assert len({tuple(response.token_ids) for response in responses}) == 12  # equal prompts have draws of their own
    for response in responses:
        assert response.truncated == (response.token_ids[-1] not in policy.stop_ids)
        assert not policy.stop_ids & set(response.token_ids[:-1])
        assert len(response.token_ids) <= 24
    engine.close()


def test_the_seeds_decide_the_draws_and_nothing_else_is_touched(config, policy):
    prompts, parameters = prompts_of(policy, "one", "two"), SamplingParameters(12)
    engine = make_engine(policy, config)
    shared = torch.get_rng_state()
    first = engine.sample(prompts, 5, parameters, [3, 2**63 - 1])
    assert torch.equal(torch.get_rng_state(), shared)
    torch.rand(7)
    assert engine.sample(prompts, 5, parameters, [3, 2**63 - 1]) == first
    assert engine.sample(prompts, 5, parameters, [4, 5]) != first
    if not isinstance(engine, ContinuousEngine):
        assert engine.sample(prompts[1:], 5, parameters, [2**63 - 1]) == first[1:]
    engine.close()


def assert_equal_groups(found, expected):
    """Equal, up to the rounding of log-probs."""
    for group, other in zip(found, expected, strict=True):
        for a, b in zip(group, other, strict=True):
            assert (a.token_ids, a.truncated) == (b.token_ids, b.truncated)
            assert a.logprobs == pytest.approx(b.logprobs, abs=1e-4)


def test_a_group_of_more_rows_than_are_drawn_at_once(policy):
    prompts, parameters = prompts_of(policy, "one", "two, which is longer"), SamplingParameters(12, top_p=0.9)
    whole = TransformersEngine(policy, max_rows=64).sample(prompts, 8, parameters, [3, 4])
    rows = []
    with policy.model.register_forward_pre_hook(
        lambda model, args, inputs: rows.append(len(inputs["input_ids"])), with_kwargs=True
    ):
        parts = TransformersEngine(policy, max_rows=3).sample(prompts, 8, parameters, [3, 4])
    assert max(rows) == 3
    assert_equal_groups(parts, whole)


@pytest.mark.parametrize("lora_rank", [0, 4])
def test_new_weights_are_used_after_sync(config, policy, lora_rank):
    if lora_rank:
        add_adapters(policy, lora_rank, 32.0, seed=0)
    prompts, parameters = prompts_of(policy, "one", "two"), SamplingParameters(12)
    engine = make_engine(policy, config)
    for _ in range(2):
        disturb(policy)
        engine.sync()
        groups = engine.sample(prompts, 4, parameters, range(len(prompts)))
        # The server merges adapters into the weights, which rounds otherwise.
        assert largest_difference(policy, prompts, groups, parameters) < (1e-3 if lora_rank else 1e-4)
    engine.close()


def test_a_group_is_not_in_the_order_of_its_lengths(policy):
    engine = ContinuousEngine(policy)
    (group,) = engine.sample(prompts_of(policy, "one"), 24, SamplingParameters(100), [0])
    lengths = [len(response.token_ids) for response in group]
    assert len(set(lengths)) > 3
    assert lengths not in (sorted(lengths), sorted(lengths, reverse=True))


def test_continuous_batching_in_bf16_holds_a_copy_that_follows(tiny_model):
    policy = load_policy(str(tiny_model), device="cpu", precision="bf16")
    add_adapters(policy, 4, 32.0, seed=0)
    engine, prompts, parameters = ContinuousEngine(policy), prompts_of(policy, "one"), SamplingParameters(24)
    disturb(policy)
    stale = largest_difference(policy, prompts, engine.sample(prompts, 8, parameters, [0]), parameters)
    engine.sync()
    fresh = largest_difference(policy, prompts, engine.sample(prompts, 8, parameters, [0]), parameters)
    assert fresh < 0.5 < stale


def test_a_copy_for_continuous_batching_leaves_the_policy_as_it_is(tiny_model):
    policy = load_policy(str(tiny_model), device="cpu", precision="bf16")
    prompts, parameters = prompts_of(policy, "one", "two"), SamplingParameters(24)
    before = TransformersEngine(policy).sample(prompts, 8, parameters, [0, 1])
    ContinuousEngine(policy)
    assert TransformersEngine(policy).sample(prompts, 8, parameters, [0, 1]) == before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BloomForCausalLM(BloomConfig(vocab_size=258, hidden_size=32, n_layer=2, n_head=4)), "nats per token"),
        (lambda: MambaForCausalLM(MambaConfig(vocab_size=258, hidden_size=32, num_hidden_layers=2)), "type 'mamba'"),
    ],
    ids=["computes something else", "cannot"],
)
def test_a_model_that_continuous_batching_cannot_compute(policy, make, message):
    torch.manual_seed(0)
    other = dataclasses.replace(policy, model=make().eval())
    for parameter in other.model.parameters():
        if parameter.ndim == 2:
            torch.nn.init.normal_(parameter, std=0.5)
    with pytest.raises(UsageError, match=f"{message}.*--engine transformers"):
        make_engine(other, SamplingConfig(engine="continuous"))


def test_a_request_that_transformers_loses_is_noticed(policy, monkeypatch):
    engine = ContinuousEngine(policy)
    monkeypatch.setattr(policy.model, "forward", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(RuntimeError, match="division by zero"):
        engine.sample(prompts_of(policy, "one"), 2, SamplingParameters(4), [0])


def test_merged_weights_compute_what_the_adapters_do(policy, tiny_model):
    add_adapters(policy, 4, 32.0, seed=0)
    disturb(policy)
    merged = load_policy(str(tiny_model), device="cpu", precision="fp32")
    merged.model.load_state_dict(dict(merged_weights(policy.model)))
    ids = torch.tensor([[5, 6, 7, 8]])
    torch.testing.assert_close(merged.model(ids).logits, policy.model(ids).logits, atol=1e-4, rtol=1e-4)


def test_several_turns(config, policy):
    environments = Environments("toy/Echo-v0", {"max_turns": 3}, 4)
    engine = make_engine(policy, config)
    parameters = SamplingParameters(6, temperature=0.9)
    (group,) = collect_groups(policy, engine, environments, [Start(0)], 4, parameters, [0])
    environments.close()
    for episode in group:
        assert len(episode.turns) == 3
        token_ids = torch.tensor([token for turn in episode.turns for token in turn.response_ids])
        with torch.no_grad():
            distributions = next_tokens(
                policy, [episode.prompt_ids], [episode.continuation_ids], torch.tensor(episode.loss_mask), 0.9
            )
        expected = distributions.stats(token_ids).logprobs
        torch.testing.assert_close(torch.tensor(episode.logprobs), expected, atol=1e-4, rtol=1e-4)
    engine.close()


class TestLearner:
    def test_a_run_with_a_server_goes_on_where_it_was(self, tiny_model, tmp_path):
        whole, parts = tmp_path / "whole", tmp_path / "parts"
        for output, steps, resume in ((whole, 4, False), (parts, 2, False), (parts, 4, True)):
            with VLLMServer(tiny_model) as server:  # a new one each time, which knows nothing of the steps before
                settings = {"engine": "vllm-server", "engine_url": server.url, "save_every": 1, "eval_tasks": 0}
                run("grpo", tiny_model, output, steps=steps, resume=resume, top_p=0.9, **settings)
        assert contents(parts) == contents(whole)

    @pytest.mark.parametrize("lora_rank", [0, 4])
    @pytest.mark.parametrize("algorithm", ["grpo", "sdpo"])
    def test_sampler_and_trainer_agree_after_each_update(self, tiny_model, server, tmp_path, algorithm, lora_rank):
        settings = {"engine": "vllm-server", "engine_url": server.url, "steps": 3, "lr": 0.01}
        output = run(algorithm, tiny_model, tmp_path / "run", lora_rank=lora_rank, **settings)
        mismatches = [record["sampler_mismatch"] for record in records(output, "metrics.jsonl") if "loss" in record]
        assert mismatches and max(mismatches) < 1e-4
        assert list(server.policies) == ["base"]  # adapters are gone

    def test_two_processes_sample_from_a_server_what_one_does(self, tiny_model, server, tmp_path):
        settings = {"engine": "vllm-server", "engine_url": server.url, "lora_rank": 4, "eval_tasks": 0}
        settings["env"] = "toy_env:toy/Even-v0"
        alone = run("grpo", tiny_model, tmp_path / "alone", **settings)
        loaded = len(server.asked("/v1/load_lora_adapter"))
        words = [f"--{name.replace('_', '-')}={value}" for name, value in (SMALL | settings).items()]
        result = launch("-m", "agents.grpo", *words, "--model", tiny_model, "--output", tmp_path / "two")
        assert result.returncode == 0, result.stderr[-3000:]
        assert (tmp_path / "two" / "rollouts.jsonl").read_text() == (alone / "rollouts.jsonl").read_text()
        assert len(server.asked("/v1/load_lora_adapter")) == 2 * loaded  # one of the two brings the weights
        assert list(server.policies) == ["base"]

    def test_no_run_folder_where_the_server_is_not(self, tiny_model, tmp_path):
        with pytest.raises(UsageError, match="--engine-url"):
            run("grpo", tiny_model, tmp_path / "run", engine="vllm-server", engine_url="http://127.0.0.1:9")
        assert not (tmp_path / "run").exists()


def without(*names):
    def change(reply):
        for choice in reply["choices"]:
            for name in names:
                choice.pop(name)

    return change


def setting(name, value):
    def change(reply):
        reply["choices"][0][name] = value

    return change


@pytest.fixture
def engine(policy, server):
    engine = VLLMServerEngine(policy, server.url, timeout=5)
    yield engine
    server.mishaps.clear()
    engine.close()


class TestServer:
    def draw(self, policy, engine, parameters=SamplingParameters(4)):
        return engine.sample(prompts_of(policy, "one", "two", "three"), 3, parameters, [5, 6, 7])

    def test_what_may_pass_is_tried_again(self, policy, server, engine):
        expected = self.draw(policy, engine)
        before = len(server.asked("/v1/completions"))
        server.mishaps = ["hang up", (500, "oops"), (503, {}), (429, {})]
        assert self.draw(policy, engine) == expected
        assert len(server.asked("/v1/completions")) - before == 3 + 4

    @pytest.mark.parametrize(
        ("mishap", "message"),
        [
            (without("token_ids"), "no token ids"),
            (without("logprobs"), "no token ids or log-probs"),
            (setting("logprobs", None), "no token ids or log-probs"),
            (lambda reply: reply["choices"].pop(), "2 responses instead of 3"),
            (lambda reply: reply.clear(), "no token ids or log-probs"),
            (setting("prompt_token_ids", [1, 2]), "another prompt"),
            (setting("finish_reason", "abort"), "abort"),
            (setting("token_ids", [10**6] * 4), "that are none"),
            (setting("token_ids", []), "that are none"),
            (setting("logprobs", {"token_logprobs": [float("nan")] * 4}), "that are none"),
            (setting("logprobs", {"token_logprobs": [1.0] * 4}), "that are none"),
            ((200, "<html>"), "no token ids"),
            ((400, {"error": {"message": "too long"}}), "too long"),
            ((404, {"error": {"message": "The model `x` does not exist."}}), "does not exist"),
            ((401, {}), "VLLM_API_KEY"),
        ],
    )
    def test_an_answer_that_is_none(self, policy, server, engine, mishap, message):
        server.mishaps = [mishap]
        with pytest.raises(UsageError, match=message):
            self.draw(policy, engine)

    def test_a_server_that_fails_again_and_again(self, policy, server, engine):
        server.mishaps = [(500, {"error": {"message": "out of memory"}})] * 100
        with pytest.raises(UsageError, match=r"out of memory.*--engine-url"):
            self.draw(policy, engine)

    def test_a_server_that_does_not_answer(self, policy, server, engine, monkeypatch):
        monkeypatch.setattr(agents.sampling.vllm_server_engine, "TRIES", 2)
        engine.timeout = 0.2
        server.mishaps = ["hang"] * 100
        with pytest.raises(UsageError, match=r"within 0\.2 seconds"):
            self.draw(policy, engine)

    def test_a_prompt_that_is_too_long(self, policy, engine):
        with pytest.raises(UsageError, match="max_model_len"):
            self.draw(policy, engine, SamplingParameters(5000))

    @pytest.mark.parametrize(
        ("server_settings", "lora_rank", "message"),
        [
            ({"processed": False}, 0, "processed_logprobs"),
            ({"development": False}, 0, "VLLM_SERVER_DEV_MODE"),
            ({"lora": False}, 4, "enable-lora"),
            ({"key": "secret"}, 0, "VLLM_API_KEY"),
        ],
    )
    def test_a_server_that_was_started_otherwise(
        self, tiny_model, policy, server_settings, lora_rank, message, monkeypatch
    ):
        monkeypatch.setenv("VLLM_API_KEY", "another")
        if lora_rank:
            add_adapters(policy, lora_rank, 32.0, seed=0)
        with VLLMServer(tiny_model, **server_settings) as server, pytest.raises(UsageError, match=message):
            VLLMServerEngine(policy, server.url)

    def test_a_server_with_a_key(self, tiny_model, policy, monkeypatch):
        monkeypatch.setenv("VLLM_API_KEY", "secret")
        with VLLMServer(tiny_model, key="secret") as server:
            VLLMServerEngine(policy, server.url).close()
        monkeypatch.setenv("VLLM_API_KEY", "ключ")
        with pytest.raises(UsageError, match="ASCII"):
            VLLMServerEngine(policy, "http://127.0.0.1:9")

    def test_adapters_for_a_server_whose_model_is_another(self, tiny_model, policy, tmp_path):
        other = load_policy(str(tiny_model), device="cpu", precision="fp32")
        disturb(other)
        other.save(tmp_path / "other")
        add_adapters(policy, 4, 32.0, seed=0)
        with VLLMServer(tiny_model) as server:
            server.policies["base"] = other
            server._load_lora_adapter = lambda body: (server.policies.update({body["lora_name"]: other}), (200, ""))[1]
            with pytest.raises(UsageError, match="another model or other weights"):
                VLLMServerEngine(policy, server.url)

    def test_a_model_with_a_config_within_its_config(self, tmp_path):
        folder = save_tiny_model(tmp_path / "model")
        tiny_gemma3().save_pretrained(folder)
        policy = load_policy(str(folder), device="cpu", precision="fp32")
        with VLLMServer(folder) as server:
            engine = VLLMServerEngine(policy, server.url)
            (group,) = engine.sample([[5, 6, 7]], 2, SamplingParameters(4), [0])
            engine.close()
        assert len(group) == 2

    def test_a_server_that_is_no_vllm(self, policy, server, monkeypatch):
        monkeypatch.setattr(server, "_models", lambda body: (200, {"data": [{"name": "x"}]}))
        with pytest.raises(UsageError, match="no vLLM server"):
            VLLMServerEngine(policy, server.url)

    def test_seeds_of_neighbouring_numbers_are_far_apart(self, policy, server, engine):
        """vLLM gives the responses of a group the seeds that follow."""
        self.draw(policy, engine)
        seeds = sorted(body["seed"] for body in server.asked("/v1/completions")[-3:])
        assert min(b - a for a, b in itertools.pairwise(seeds)) > 1000 and max(seeds) < 2**62

    def test_a_group_of_more_rows_than_are_drawn_at_once(self, policy, server, engine):
        prompts, parameters = prompts_of(policy, "one", "two"), SamplingParameters(4)
        whole = engine.sample(prompts, 8, parameters, [5, 6])
        before, engine.max_rows = len(server.asked("/v1/completions")), 3
        assert_equal_groups(engine.sample(prompts, 8, parameters, [5, 6]), whole)
        assert sorted(body["n"] for body in server.asked("/v1/completions")[before:]) == [2, 2, 3, 3, 3, 3]

    def test_the_draws_do_not_depend_on_the_models_own_settings(self, policy, server, engine):
        self.draw(policy, engine)
        body = server.asked("/v1/completions")[-1]
        assert (body["top_k"], body["min_p"], body["repetition_penalty"]) == (0, 0.0, 1.0)
        assert body["stop_token_ids"] == sorted(policy.stop_ids)

    def test_no_weights_are_left_behind(self, policy, server, tmp_path):
        engine = VLLMServerEngine(policy, server.url, tmp_path)
        engine.sync()
        assert len(list(tmp_path.iterdir())) == 1  # those that the server may read again
        engine.close()
        assert list(tmp_path.iterdir()) == []

    def test_a_server_that_has_forgotten_the_adapters(self, policy, server):
        add_adapters(policy, 4, 32.0, seed=0)
        engine = VLLMServerEngine(policy, server.url)
        expected = self.draw(policy, engine)
        for name in list(server.policies):
            if name != "base":
                del server.policies[name]
        with pytest.raises(UsageError, match="does not exist"):
            self.draw(policy, engine)
        engine.sync()
        assert self.draw(policy, engine) == expected
        engine.close()

    def test_a_folder_that_cannot_be_written(self, policy, server, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match="--engine-folder"):
            VLLMServerEngine(policy, server.url, tmp_path / "file" / "weights")


class TestChoice:
    @pytest.mark.parametrize("engine", ["continuous", "vllm"])
    def test_weights_of_four_bits_stay_where_they_are(self, policy, monkeypatch, engine):
        monkeypatch.setattr(policy.model, "is_loaded_in_4bit", True, raising=False)
        with pytest.raises(UsageError, match="4 bits"):
            make_engine(policy, SamplingConfig(engine=engine))

    def test_vllm_in_several_processes(self, policy):
        with pytest.raises(UsageError, match="vllm-server"):
            make_engine(policy, SamplingConfig(engine="vllm"), Processes(0, 2))

    def test_auto_on_a_cpu_is_transformers(self, policy):
        assert isinstance(make_engine(policy, SamplingConfig()), TransformersEngine)

    @pytest.mark.skipif(HAS_VLLM, reason="vLLM is installed")
    def test_vllm_that_is_not_installed(self, policy):
        with pytest.raises(UsageError, match=r"sdpo-gym\[vllm\]"):
            make_engine(policy, SamplingConfig(engine="vllm"))

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"engine_memory": 0.0}, "--engine-memory"),
            ({"engine_memory": 1.5}, "--engine-memory"),
            ({"engine_url": "localhost:8000"}, "--engine-url"),
            ({"engine_timeout": 0.0}, "--engine-timeout"),
            ({"engine": "vllm-server", "engine_url": "http://[::1"}, "no address"),
        ],
    )
    def test_values_without_sense(self, policy, settings, message):
        config = SamplingConfig(**settings)
        with pytest.raises(UsageError, match=message):
            config.check()
            make_engine(policy, config)
