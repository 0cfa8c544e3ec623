"""Arguments of the chat template reach it, whatever renders chats; and what it refuses is said."""

import io

import pytest
import toy_env  # noqa: F401
from chat_server import ChatServer
from conftest import CHAT_TEMPLATE, save_tiny_model
from rich.console import Console
from training import run

from agents.discovery.__main__ import main as discover
from agents.discovery.config import DiscoveryConfig
from agents.discovery.select import SelectConfig
from agents.discovery.select import main as select
from agents.errors import UsageError, warn_once
from agents.evaluate.__main__ import main as evaluate
from agents.evaluate.chat_client import ServerConfig
from agents.evaluate.config import EvaluateConfig
from agents.policy.load import load_policy
from agents.policy.lora import add_adapters

pytestmark = pytest.mark.usefixtures("one_thread")

THINKING = CHAT_TEMPLATE.replace(
    "assistant\n{% endif %}",
    "assistant\n{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}",
)
STRICT = "{% if key != 7 %}{{ raise_exception('key is needed') }}{% endif %}" + CHAT_TEMPLATE
"""Renders nothing without its argument."""

SMALL = {"env": "toy/Even-v0", "max_new_tokens": 4, "sampling_rows": 4, "device": "cpu", "precision": "fp32"}
CHAT = [{"role": "user", "content": "x"}]


def load(folder, **template_args):
    return load_policy(str(folder), device="cpu", precision="fp32", template_args=template_args)


@pytest.fixture(scope="module")
def strict_model(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("strict") / "model", chat_template=STRICT)


def test_thinking_can_be_switched_off_in_every_turn(tmp_path):
    folder = save_tiny_model(tmp_path / "model", chat_template=THINKING)
    plain, off = load(folder), load(folder, enable_thinking=False)
    empty = off.tokenizer("<think>\n\n</think>\n\n")["input_ids"]
    assert off.render(CHAT) == plain.render(CHAT) + empty
    assert off.render_continuation(CHAT[0], [9]) == plain.render_continuation(CHAT[0], [9]) + empty


def test_an_argument_that_the_template_does_not_mention_has_no_effect_and_is_warned_of(tmp_path, caplog):
    warn_once.cache_clear()
    folder = save_tiny_model(tmp_path / "model", chat_template=THINKING)
    assert load(folder, enable_thinkng=False).render(CHAT) == load(folder).render(CHAT)
    (warning,) = caplog.messages
    assert "--template-arg enable_thinkng: the model's chat template does not mention it" in warning
    load(folder, enable_thinking=False)
    assert caplog.messages == [warning]


def test_adapters_are_told_as_well(strict_model, tmp_path):
    policy = load(strict_model, key=7)
    add_adapters(policy, 2, 4.0, seed=0)
    policy.save(tmp_path / "adapters")
    assert load(tmp_path / "adapters", key=7).render(CHAT) == policy.render(CHAT)


@pytest.mark.parametrize("algorithm", ["grpo", "sdpo"])
def test_learners_go_on_with_the_argument(algorithm, strict_model, tmp_path):
    settings = {"template_arg": ["key=7"], "env_arg": ["max_turns=2"], "save_every": 1}
    run(algorithm, strict_model, tmp_path / "run", steps=1, **settings)
    run(algorithm, strict_model, tmp_path / "run", steps=2, resume=True, **settings)
    with pytest.raises(UsageError, match="template_arg was"):
        run(algorithm, strict_model, tmp_path / "run", steps=3, resume=True, **settings | {"template_arg": ["key=8"]})


@pytest.mark.parametrize(
    ("main", "config"),
    [
        (evaluate, lambda model: EvaluateConfig(**SMALL, model=(model,), samples=1)),
        (
            discover,
            lambda model: DiscoveryConfig(**SMALL, model=model, tasks=("beta",), budget=3, batch_size=2, seeds=1),
        ),
        (select, lambda model: SelectConfig(**SMALL, model=model, samples=2, k=1)),
    ],
    ids=["evaluate", "discovery", "select"],
)
def test_commands_that_sample_pass_the_argument_on(main, config, strict_model, tmp_path):
    config = config(str(strict_model))
    config.template_arg, config.output = ["key=7"], tmp_path / "run"
    main(config, Console(file=io.StringIO()))


def test_a_server_gets_the_arguments_for_its_template(tmp_path):
    settings = SMALL | {"model": ("openai:toy",), "samples": 1}
    with ChatServer() as server:
        for name, arguments in (("with", ["enable_thinking=false", "effort=low"]), ("without", [])):
            config = EvaluateConfig(**settings, template_arg=arguments, output=tmp_path / name)
            config.server = ServerConfig(base_url=server.url, concurrency=1)
            evaluate(config, Console(file=io.StringIO()))
    told = [request.get("chat_template_kwargs") for request in server.requests]
    assert told == [{"enable_thinking": False, "effort": "low"}] * 4 + [None] * 4
    assert "enable_thinking=false" in (tmp_path / "with" / "report.md").read_text()


@pytest.mark.parametrize(
    ("argument", "message"),
    [("enable_thinking", "--template-arg takes key=value"), ("tokenize=false", "--template-arg tokenize")],
)
def test_arguments_that_are_none_of_the_template(argument, message, tiny_model, tmp_path):
    with pytest.raises(UsageError, match=message):
        run("grpo", tiny_model, tmp_path / "run", template_arg=[argument])
    assert not (tmp_path / "run").exists()


WITHOUT_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    + CHAT_TEMPLATE
)


@pytest.mark.parametrize(
    ("template", "refusal"),
    [(WITHOUT_SYSTEM, "roles system, user: System role not supported"), (CHAT_TEMPLATE + "{% endfor", "roles system")],
    ids=["raises", "is damaged"],
)
def test_a_refusal_of_the_template_is_said(template, refusal, tmp_path):
    policy = load(save_tiny_model(tmp_path / "model", chat_template=template))
    with pytest.raises(UsageError, match=f"{refusal}.*another model.*--env-arg"):
        policy.render([{"role": "system", "content": "Be brief."}, *CHAT])


def test_a_refusal_of_a_later_turn_is_said(strict_model):
    with pytest.raises(UsageError, match="roles user, assistant: key is needed"):
        load(strict_model).render_continuation(CHAT[0], [9])


def test_a_template_that_leaves_out_earlier_responses_is_refused_in_a_later_turn(tmp_path):
    forgetful = CHAT_TEMPLATE.replace("{% for message in messages %}", "{% for message in messages[-1:] %}")
    policy = load(save_tiny_model(tmp_path / "model", chat_template=forgetful))
    assert policy.render(CHAT)
    with pytest.raises(UsageError, match=r"leaves out the assistant's earlier messages.*--env-arg"):
        policy.render_continuation(CHAT[0], [9])


def test_a_template_that_refuses_empty_messages_has_later_turns(tiny_model, tmp_path):
    refusal = "{% for m in messages %}{% if not m['content'] %}{{ raise_exception('empty') }}{% endif %}{% endfor %}"
    policy = load(save_tiny_model(tmp_path / "model", chat_template=refusal + CHAT_TEMPLATE))
    assert policy.render_continuation(CHAT[0], [9]) == load(tiny_model).render_continuation(CHAT[0], [9])
